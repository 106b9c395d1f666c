"""Embeddings that were looked at become a run: where they lie at once, or copied by a job."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.folder import new_folder, touch_workspace
from engine.jobs.job import submit
from engine.store.importing.forms import opened, require_size, with_model
from engine.store.importing.settled import config_of
from engine.store.importing.taking import import_embeddings
from engine.store.products.understood import Understood
from pages.ui import workspace
from pages.ui.bring import asked as asking
from pages.ui.bring.asked import Asked

# Of the outline, the keys and the fractions of a row of a store, compressed.
_BYTES_A_ROW = 40


def bytes_of(told: Understood) -> int:
    """About how large a store of it is."""
    return bytes_of_rows(told.rows, told.dim, 2 if told.dtype == "float16" else 4)


def bytes_of_rows(rows: int, dim: int, bytes_a_number: int) -> int:
    """About how large a store of so many embeddings is."""
    return rows * (dim * bytes_a_number + _BYTES_A_ROW)


def open_them(asked: Asked, in_place: bool) -> None:
    """Open embeddings where they lie and look at them; or start the job that copies them, and watch it.

    Raises:
        EngineError: they cannot be used, or there is no room.
    """
    config = _config(asked, in_place)
    if in_place:
        folder = new_folder(config, workspace.folder())
        import_embeddings(
            asked.path, folder, asked.region, asked.model, images=asked.images, in_place=True, year=asked.year
        )
        touch_workspace(folder)
        go_to(folder.name)
    asking.watch(submit(config, workspace.folder()).id)
    st.rerun()


def go_to(job_id: str) -> NoReturn:
    """Look at the store of a run."""
    asking.leave()
    st.session_state["store_job"] = job_id
    st.switch_page("pages/embeddings.py", query_params={"job": job_id})
    raise AssertionError("the page was switched")


def _config(asked: Asked, in_place: bool) -> ExtractConfig:
    with opened(asked.path, asked.region, asked.images, asked.year, asked.model) as found:
        told = with_model(found.understood, asked.model)
        require_size(told)
        return config_of(asked.path, found, told, asked.region, in_place, asked.images, asked.year)
