"""Links to files that a page offers, and those that a command makes when somebody asks for them."""

from __future__ import annotations

import html
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.errors import RunFailure
from engine.jobs.keeping.zip_stream import zip_blocks
from engine.learning.keeping.result import SCORES, TrainRun
from engine.learning.maps.facts import FACTS
from engine.paths import PROJECT
from pages.ui.look import metrics
from pages.ui.state import downloads


def links(files: Sequence[tuple[str, str]]) -> None:
    """Label and address of each file."""
    cells = "".join(
        f'<a class="es-take" href="{html.escape(address)}" download>{html.escape(label)}</a>'
        for label, address in files
    )
    st.html(f'<div class="es-takes">{cells}</div>')


def report_address(run: TrainRun) -> str:
    """Of the report of a training, written anew when its scores have changed."""
    return _report_address(run.folder, (run.folder / SCORES).stat().st_mtime_ns)


def map_report_address(folder: Path) -> str:
    """Of the report of the maps in a run folder."""
    return _report_address(
        folder, max(one.stat().st_mtime_ns for one in (folder / "maps").glob(f"*/{FACTS}"))
    )


def _report_address(folder: Path, stamp: int) -> str:
    return downloads.offer(
        f"{folder} {stamp} report", f"report-{folder.name}.html", lambda _asked: _report(folder, stamp)
    )


def scores_address(run: TrainRun) -> str:
    """Of the scores as a table."""
    stamp = (run.folder / SCORES).stat().st_mtime_ns
    return downloads.offer(
        f"{run.folder} {stamp} csv", f"scores-{run.folder.name}.csv", lambda _asked: _scores(run)
    )


def curves_addresses(run: TrainRun) -> list[tuple[str, str]]:
    """Of the curves as a table and as a picture; none of a training that came to no epoch."""
    if not run.history:
        return []
    key = f"{run.folder} {(run.folder / SCORES).stat().st_mtime_ns} curves"
    name = f"curves-{run.folder.name}"
    return [
        ("Curves, CSV", downloads.offer(f"{key} csv", f"{name}.csv", lambda _asked: _curves_table(run))),
        ("Curves, PNG", downloads.offer(f"{key} png", f"{name}.png", lambda _asked: _curves_picture(run))),
    ]


def folder_zip(folder: Path, name: str) -> str:
    """Address of all files of a folder as one zip, made while it is sent."""
    return downloads.offer(f"{folder} zip {name}", name, lambda _asked: zip_blocks(folder))


def _curves_table(run: TrainRun) -> Path:
    from engine.learning.report.curve_files import write_curves_table

    return write_curves_table(run.history, run.folder / "curves.csv")


def _curves_picture(run: TrainRun) -> Path:
    from engine.learning.report.curve_files import write_curves_picture

    history = run.history
    titles = {name: metrics.titled(name, run.task) for name in history[-1].validation}
    told = [run.folder.name, *(["SIMULATED"] if run.decoder.is_simulated else [])]
    told += ["random weights"] if run.decoder.is_random else []
    return write_curves_picture(history, titles, " · ".join(told), run.folder / "curves.png")


def _scores(run: TrainRun) -> Path:
    """Every score that is one number, beside the baseline's, as scores.csv in the run."""
    import csv

    from engine.files import write_atomic

    scores = run.scores
    baseline = scores.get("baseline") or {}
    rows = [
        (name, value, baseline.get(name, ""))
        for name, value in scores.items()
        if isinstance(value, int | float)
    ]
    path = run.folder / "scores.csv"

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("score", "decoder", str(baseline.get("name", "baseline"))), *rows])

    write_atomic(path, write)
    return path


def _report(folder: Path, stamp: int) -> Path:
    """The page, made by the command line's own `report`.

    Raises:
        RunFailure: in the words of the command.
    """
    path = folder / "report.html"
    if path.is_file() and path.stat().st_mtime_ns >= stamp:
        return path
    command = [sys.executable, "-m", "engine", "report", str(folder), "--out", str(path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunFailure(
            said[-1].removeprefix("error: ") if said else "The report could not be made. Try again."
        )
    return path
