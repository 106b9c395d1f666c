"""What a widget takes from the field of a configuration: its help sentence and its choices."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

from pages.ui.look.field_words import spoken

# What a person may choose on a page; the configuration also takes a number, as in cuda:1.
DEVICES = ("auto", "cpu", "cuda", "mps")


def help_of(model: type[BaseModel], name: str) -> str:
    """The sentence that the configuration has for a field."""
    return spoken(model.model_fields[name].description or "")


def choices_of(model: type[BaseModel], name: str) -> list[Any]:
    """The values of a field that is one of several words."""
    kind = model.model_fields[name].annotation
    found = [value for part in (kind, *get_args(kind)) for value in get_args(part) if isinstance(value, str)]
    return list(dict.fromkeys(found))
