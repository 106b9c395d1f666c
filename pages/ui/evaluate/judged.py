"""The test of a training in detail, read once for each state of its file; made first where an earlier version left none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from engine.errors import RunFailure
from engine.learning.judging.comparison import compared
from engine.learning.judging.judgement import JUDGEMENT, Judgement, Method
from engine.learning.keeping.result import TrainRun
from engine.paths import PROJECT


def read(run: TrainRun) -> Judgement | None:
    """The judgement of a run; None where it has none.

    Raises:
        JobError: it is damaged.
    """
    path = run.folder / JUDGEMENT
    return _read(str(run.folder), path.stat().st_mtime_ns) if path.is_file() else None


@st.cache_resource(show_spinner=False, max_entries=64)
def _read(folder: str, modified_ns: int) -> Judgement | None:
    del modified_ns
    return Judgement.read(Path(folder))


def rows(
    run: TrainRun, judgement: Judgement, others: Sequence[tuple[TrainRun, Method]]
) -> list[dict[str, Any]]:
    """The decoder and everything that it is compared with, as `comparison.compared` gives it.

    Args:
        others: further trainings, and their decoders under the names that the table gives them.
    """
    stamps = tuple(
        (str(one.folder), (one.folder / JUDGEMENT).stat().st_mtime_ns)
        for one in (run, *(own for own, _ in others))
    )
    return _rows(stamps, [*judgement.methods, *(method for _, method in others)], run)


@st.cache_data(show_spinner=False, max_entries=64)
def _rows(
    stamps: tuple[tuple[str, int], ...], _methods: Sequence[Method], _run: TrainRun
) -> list[dict[str, Any]]:
    del stamps
    return compared(_methods, _run.task, _run.decoder.seed)


def offer(run: TrainRun) -> None:
    """For a run of an earlier version: a button that works it out from what the run left."""
    if not run.is_finished or run.decoder.labels.endswith(".geojson"):
        return
    st.caption(
        "This training was judged by an earlier version: places, baselines with intervals, and curves are worked out from "
        "its decoder, store and labels on demand. Its scores stay as they are."
    )
    if st.button("Work out places and curves", key="judge_again", icon=":material/query_stats:"):
        with st.spinner("Mapping the test places again"):
            _evaluate(run)
        st.rerun()


def _evaluate(run: TrainRun) -> None:
    """Raises:
    RunFailure: in the words of the command.
    """
    command = [sys.executable, "-m", "engine", "evaluate", str(run.folder), "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunFailure(said[-1].removeprefix("error: ") if said else "It could not be judged. Try again.")


def by_key(found: Sequence[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    """The row of a method."""
    return next((one for one in found if one["key"] == key), None)
