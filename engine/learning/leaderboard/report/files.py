"""The files of a finished leaderboard in its run folder: table, pictures, page, and what the boards of others take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import JobError
from engine.files import read_json, write_atomic
from engine.learning.leaderboard.report.curves import curves_picture
from engine.learning.leaderboard.report.page import page
from engine.learning.leaderboard.report.picture import picture
from engine.learning.leaderboard.report.tables import geo_bench_2, own_table, torchgeo_bench

SUMMARY, PAGE, PICTURE, CURVES = "leaderboard.json", "leaderboard.html", "leaderboard.svg", "few_labels.svg"
TABLE, GEO_BENCH_2, TORCHGEO_BENCH = "leaderboard.csv", "geo_bench_2.csv", "torchgeo_bench.csv"
_MADE: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    TABLE: own_table, GEO_BENCH_2: geo_bench_2, TORCHGEO_BENCH: torchgeo_bench, PICTURE: picture, CURVES: curves_picture,
    PAGE: page,
}  # fmt: skip


def write_files(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write every file; the summary last, so that a run that has it is complete.

    Raises:
        DiskFull: no room.
    """
    for name, make in _MADE.items():
        if name != CURVES or summary["curves"]:
            _write(folder / name, make(summary))
    _write(folder / SUMMARY, json.dumps(summary, indent=1, allow_nan=False))


def read_summary(folder: Path) -> dict[str, Any]:
    """What a finished leaderboard says.

    Raises:
        JobError: the run has not finished, or is no leaderboard.
    """
    try:
        tree = read_json(folder / SUMMARY)
    except (OSError, ValueError) as err:
        raise JobError(f"{folder} has no leaderboard yet. Wait for it, or resume it.") from err
    if not isinstance(tree, dict):
        raise JobError(f"{folder / SUMMARY} is damaged and cannot be read. Run the leaderboard again.")
    return tree


def _write(path: Path, text: str) -> None:
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
