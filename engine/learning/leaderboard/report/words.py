"""A leaderboard in words: lines for a terminal, numbers with their intervals, the name of its metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.jobs.configuration.task import configured_task
from engine.learning.leaderboard.verdict import score_words
from engine.learning.tasks.table import task_of


def metric_words(summary: Mapping[str, Any]) -> str:
    """The watched metric in words, such as "IoU, burnt"."""
    task = task_of(configured_task(summary["training"]["task"]))
    words = score_words(str(summary["metric"]), {one.key: one.title for one in task.classes})
    return f"{words[:1].upper()}{words[1:]}"


def number(value: float | None) -> str:
    """Three digits, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.3f}"


def between(interval: list[float] | None) -> str:
    """Both ends of an interval, or a dash."""
    return "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def in_lines(summary: Mapping[str, Any]) -> list[str]:
    """The table and the verdict for a terminal."""
    metric = summary["metric"]
    names = [_name(row) for row in (*summary["rows"], *summary["baselines"])]
    width = max(map(len, names))
    lines = [f"{'':{width}}  {metric_words(summary):>11}  deviation  95 % interval   validation  seconds"]
    for name, row in zip(names, (*summary["rows"], *summary["baselines"]), strict=True):
        seconds = "" if row.get("seconds") is None else f"{row['seconds']:.1f}"
        lines.append(
            f"{name:{width}}  {number(row[f'{metric}_mean']):>11}  {number(row.get(f'{metric}_std')):>9}  "
            f"{between(row['interval']):14}  {number(row.get('validation_mean')):>10}  {seconds:>7}".rstrip()
        )
    told = ["SIMULATED data: no satellite has seen these scenes."] if summary["is_simulated"] else []
    return [*lines, *_matrices(summary), *summary["verdict"]["sentences"], *told, *summary["notes"]]


def _matrices(summary: Mapping[str, Any]) -> Iterator[str]:
    """What travels: a line for what was trained on, a column, for what was tested on."""
    for one in summary["travel"]:
        yield f"Between {one['by']}s, {one['backbone']} · {one['head']}: trained on, and tested on each in this order"
        width = max(len(line["trained_on"]) for line in one["lines"])
        for line in one["lines"]:
            scores = "  ".join(number(score["mean"]) for score in line["scores"])
            yield f"  {line['trained_on']:{width}}  {scores}"


def _name(row: Mapping[str, Any]) -> str:
    return row_name(row) + (" *" if row.get("is_chosen") else "")


def row_name(row: Mapping[str, Any], *, with_head: bool = True) -> str:
    """A row in a few words."""
    position = " · position removed" if row.get("position") == "remove" else ""
    random = " · random weights" if row.get("is_random") and "random weights" not in row["backbone"] else ""
    head = f" · {row['head']}" if with_head and row.get("head") else ""
    return f"{row['backbone']}{random}{head}{_layers(row)}{position}"


def _layers(row: Mapping[str, Any]) -> str:
    return f" · layers {', '.join(map(str, row['layers']))}" if row.get("has_other_layers") else ""
