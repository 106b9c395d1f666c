"""A TerraTorch file on a page: dropped, read key by key as a table, and started as the job that it becomes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from engine.jobs.configuration.config import JobConfig
from engine.jobs.job import submit
from engine.terratorch.keys import KeyRead
from pages.ui import workspace
from pages.ui.jobs import config_view
from pages.ui.look import wording
from pages.ui.state import session

# A file of TerraTorch's has some fifty lines.
_LARGEST_MB = 1
_ICONS = {"read as": "✓ read as", "ignored": "– ignored", "not honoured": "! not honoured"}


def dropped(label: str, key: str) -> UploadedFile | None:
    """The file that was dropped here; None while there is none."""
    return st.file_uploader(label, type=["yaml", "yml"], key=key, max_upload_size=_LARGEST_MB)


def start(config: JobConfig, label: str, key: str, file_name: str, view_key: str) -> None:
    """The button that starts the job, and its configuration below.

    Args:
        file_name: of what was dropped; the configuration is named after it.
    """
    if st.button(label, type="primary", key=key, icon=":material/play_arrow:", width="stretch"):
        session.set_job(submit(config, workspace.folder()).id)
        st.rerun()
    config_view.show(config, f"{file_name.rpartition('.')[0]}-emberscope", view_key)


def show(lines: Sequence[KeyRead], warnings: Sequence[str]) -> None:
    """What a person should know first, then a row a key."""
    for warning in warnings:
        st.warning(wording.told(warning), icon=":material/balance:")
    rows = [
        {
            "Key": line.key.rpartition(".")[2],
            "How": _ICONS[line.verdict],
            "What it means": line.words,
            "Found": line.found,
            "Where it stands": line.key,
        }
        for line in lines
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=260)
