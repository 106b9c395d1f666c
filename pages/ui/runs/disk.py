"""What runs take of the disk."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.jobs.event_log import EVENTS
from engine.paths import modified

_TTL_S = 60  # overlays and maps are added to a run that has ended


def bytes_of(folder: Path) -> int:
    """Bytes of a run's files."""
    return _bytes_of(str(folder), modified(folder / EVENTS), modified(folder))


@st.cache_data(show_spinner=False, max_entries=2048, ttl=_TTL_S)
def _bytes_of(folder: str, log_modified: float, folder_modified: float) -> int:
    del log_modified, folder_modified  # keys of the cache
    total = 0
    for path in Path(folder).rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # it went away meanwhile
            continue
    return total
