"""A short measurement of a backbone's speed, for the estimate before its first run."""

from __future__ import annotations

import subprocess
import sys
import time

import streamlit as st

from engine.backbones import cards
from engine.jobs import spare
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.machine import is_cpu
from engine.paths import PROJECT
from pages.ui.look import wording

_MOST_S = 300
# The process that waits for a job imports for 3 to 5 s, 10 s beside other work, and measures for less than one.
_AWAITED_S = 15.0
_MEASURED = ("measured on this machine", "bench")


def is_under_way(config: ExtractConfig, source: str) -> bool:
    """Whether the process that waits for a job is about to tell how fast the backbone is.

    Args:
        source: `Estimate.minutes_source`.
    """
    is_measured_here = spare.is_kept() and config.engine == "local" and is_cpu(config.device)
    if source in _MEASURED or not is_measured_here:
        return False
    asked = st.session_state.setdefault("speed_asked", {})
    since = asked.setdefault((config.backbone.name, config.device), time.monotonic())
    return time.monotonic() - since < _AWAITED_S


def offer(config: ExtractConfig, source: str, key: str) -> None:
    """The button that measures, where there is nothing measured yet to estimate from.

    Args:
        source: `Estimate.minutes_source`.
    """
    spec = cards.card(config.backbone.name)
    if source in _MEASURED or spec.weights.kind == "none" or config.engine != "local":
        return
    if st.button(
        "Measure the speed here", key=key, icon=":material/timer:",
        help="Encodes random pixels for a few seconds, with random weights: the speed does not depend on what was learned.",
    ):  # fmt: skip
        with st.spinner(f"Measuring {spec.title}.", show_time=True):
            trouble = _measure(spec.name, config.device)
        if not trouble:
            st.rerun()
        st.warning(wording.told(trouble), icon=":material/timer_off:")


def _measure(name: str, device: str) -> str:
    """Measure in a process of its own, for the app never loads torch; what went wrong in words, or an empty word."""
    command = [sys.executable, "-m", "engine", "bench", name, "--device", device]
    try:
        done = subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=_MOST_S
        )
    except subprocess.TimeoutExpired:
        return f"{name} was not measured within {_MOST_S // 60} minutes. Its first run will tell."
    said = done.stderr.strip().splitlines()
    return "" if not done.returncode else (said[-1] if said else "The measurement ended early. Try again.")
