"""What a leaderboard says of its first two in one sentence: better by how much, or not to be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.learning.tasks.task import Task

_OF_A_CLASS = {"iou": "IoU", "f1": "F1"}


def comparison(
    one: Mapping[str, Any], other: Mapping[str, Any], difference: dict[str, Any]
) -> dict[str, Any]:
    """Two rows and their difference on the same places."""
    return {"better": _named(one), "other": _named(other), **difference}


def verdict(
    found: Mapping[str, Any] | None,
    baselines: Sequence[Mapping[str, Any]],
    leading: Mapping[str, Any],
    task: Task,
) -> dict[str, Any]:
    """The sentences, and the difference that the first one tells of.

    Args:
        found: the leading row beside the next; None where there is no other.
        leading: the row that is best on validation.
    """
    sentences = [_between(found, task) if found else f"{words_of(leading)} is the only row."]
    sentences += [_beside_baseline(leading, one, task) for one in baselines]
    return {"winner": _named(leading), "sentences": sentences, "difference": dict(found) if found else None}


def words_of(row: Mapping[str, Any]) -> str:
    """A row as sentences name it: the head, the backbone, and that its weights are random."""
    position = ", position removed" if row.get("position") == "remove" else ""
    is_told = "random weights" in row["backbone"] or not row.get("is_random")
    layers = f", layers {', '.join(map(str, row['layers']))}" if row.get("has_other_layers") else ""
    return f"{row['backbone']}{'' if is_told else ' (random weights)'} with the head {row['head']}{layers}{position}"


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = (
        "store",
        "backbone",
        "head",
        "head_settings",
        "layers",
        "position",
        "is_random",
        "has_other_layers",
    )
    return {key: row[key] for key in kept if key in row}


def _between(found: Mapping[str, Any], task: Task) -> str:
    better, other, value = words_of(found["better"]), words_of(found["other"]), found["value"]
    if not found["is_clear"]:
        return f"{better} and {other} cannot be told apart on these {found['places']} test places: {_difference(found, task)}."
    if value < 0:
        better, other = other, better
        found = {**found, "value": -value, "interval": [-end for end in reversed(found["interval"])]}
        return (
            f"{_maps_better(better, other, found, task)}, although validation had them the other way round."
        )
    return f"{_maps_better(better, other, found, task)}."


def score_words(name: str, titles: Mapping[str, str]) -> str:
    """A score as a sentence names it: "IoU, burnt", "mean F1".

    Args:
        titles: of the classes, by the key that they have in names of scores.
    """
    measure, _, key = name.partition("_")
    if measure in _OF_A_CLASS and key:
        return f"{_OF_A_CLASS[measure]}, {titles.get(key, key)}"
    return {"miou": "mean IoU", "mean_f1": "mean F1", "r2": "R²"}.get(name, name)


def _maps_better(better: str, other: str, found: Mapping[str, Any], task: Task) -> str:
    what = "maps burnt ground better" if task.name == "burn_scars" else "scores better"
    return f"{better} {what} than {other}, by {_difference(found, task).replace('+', '')}"


def _beside_baseline(leading: Mapping[str, Any], baseline: Mapping[str, Any], task: Task) -> str:
    found, name = baseline["to_leading"], str(baseline["backbone"])
    if not name[:2].isupper():  # NBR and dNBR stay
        name = f"{name[:1].lower()}{name[1:]}"
    if not found["is_clear"]:
        return f"{words_of(leading)} cannot be told apart from the {name}: {_difference(found, task)}."
    words = "beats" if found["value"] > 0 else "does not beat"
    return f"{words_of(leading)} {words} the {name}: {_difference(found, task)}."


def _difference(found: Mapping[str, Any], task: Task) -> str:
    """A difference with its interval, such as "0.03 [0.01, 0.06] IoU of burnt ground"."""
    unit = score_words(task.watch, {one.key: one.title for one in task.classes})
    if found["value"] is None:
        return "the difference is undefined"
    if found["interval"] is None:
        return f"{found['value']:+.3f} ({unit}; too few test places for an interval)"
    low, high = found["interval"]
    return f"{found['value']:+.3f} [{low:+.3f}, {high:+.3f}] ({unit})"
