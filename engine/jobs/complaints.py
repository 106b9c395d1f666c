"""Complaints about a configuration, in one line for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.nearest import nearest


def in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """All complaints in one line; an unknown key names the nearest known one."""
    return "; ".join(_one_complaint(dict(item), model) for item in error.errors())


def _one_complaint(item: dict[str, Any], model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        last, known = str(item["loc"][-1]), _field_names(model)
        if last in known:
            return f"the key {where!r} does not stand here. It belongs one level further in or out: move it or remove it"
        return f"unknown key {where!r}{nearest(last, known)}. Remove it or correct its name"
    # Of settings that do not go together the whole mapping is given, which says nothing to a person.
    is_said = item["type"] != "missing" and not isinstance(item["input"], Mapping)
    given = f" ({item['input']!r:.120} was given)" if is_said else ""
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{where or 'configuration'}: {message}{given}"


def _field_names(model: type[BaseModel]) -> list[str]:
    """Names of all fields of a model and the models inside it, for the nearest guess."""
    nested: list[str] = []
    for value in model.model_json_schema().get("$defs", {}).values():
        nested.extend(value.get("properties", {}))
    return [*model.model_fields, *nested]
