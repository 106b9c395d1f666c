"""The settings of runs, flat, and in which of them runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.jobs.configuration.config import JobConfig

_LONGEST = 48
# Stands in other columns, or says where a job runs and in what portions.
_SAID = (
    "backbone.name",
    "head.name",
    "layers",
    "store",
    "scene.",
    "decoder",
    "ground",
    "device",
    "batch_size",
    "engine",
    "compile",
)


def differing_in_words(configs: Sequence[JobConfig]) -> list[str]:
    """For each run the settings in which those of its kind differ: "seed 1 · rate 0.01"; empty where none does.

    What other columns of the list say, and what changes no result, is left out.
    """
    flat = [flat_of(config) for config in configs]
    of_kind = {
        kind: differing([one for config, one in zip(configs, flat, strict=True) if config.kind == kind])
        for kind in {config.kind for config in configs}
    }
    return [
        " · ".join(
            _setting(key, own[key])
            for key in of_kind[config.kind]
            if key in own and not key.startswith(_SAID)
        )
        for config, own in zip(configs, flat, strict=True)
    ]


def _setting(key: str, value: Any) -> str:
    words = in_words(value)
    return f"{_short_key(key)} {words if len(words) <= _LONGEST else '…'}"


def flat_of(config: JobConfig) -> dict[str, Any]:
    """Settings by their dotted names."""
    found: dict[str, Any] = {}

    def walk(tree: Mapping[str, Any], above: str) -> None:
        for key, value in tree.items():
            if isinstance(value, Mapping):
                walk(value, f"{above}{key}.")
            else:
                found[above + key] = value

    walk(config.model_dump(mode="json"), "")
    return found


def differing(flat: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for one in flat for key in one)
    return [key for key in keys if len({repr(one.get(key)) for one in flat}) > 1]


def in_words(value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, list):
        return ", ".join(in_words(one) for one in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"


def _short_key(key: str) -> str:
    """The last part of a dotted name, with the one before where that says nothing alone."""
    parts = key.split(".")
    return ".".join(parts[-2:]) if parts[-1] in ("name", "path", "source", "date", "file") else parts[-1]


def cut(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST // 2]}…{words[-_LONGEST // 2 :]}"
