"""The embeddings themselves as files for other programs: form, type and size are told before, a job writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from engine.jobs.configuration.config import ExportConfig
from engine.jobs.configuration.export import Dtype
from engine.jobs.events import Noticed
from engine.jobs.job import submit
from engine.store.emb_footer import warnings_of
from engine.store.store import EmbeddingStore
from engine.views.export.forms import FORMS, bytes_of, dtype_of
from engine.views.export.job import FILES
from pages.ui import workspace
from pages.ui.jobs import jobs_panel, take
from pages.ui.look import errors, wording
from pages.ui.look.fields import help_of
from pages.ui.state import cached, downloads

_TYPES: dict[Dtype, str] = {
    "float32": "32-bit floats",
    "float16": "16-bit floats",
    "int8": "8-bit numbers with scales",
}


def panel(store: EmbeddingStore, layer: int) -> None:
    """Choose a form and a type, write the files, fetch them."""
    st.subheader("Embeddings as files", anchor=False)
    name = st.selectbox(
        "Form", list(FORMS), index=1, key="store_files_form", format_func=lambda one: FORMS[one].title,
        help="What other programs read; `python -m engine import` takes them back.",
    )  # fmt: skip
    form = FORMS[name]
    kept = dtype_of(form, name, store.meta, None)
    offered: list[Dtype] = [one for one in _TYPES if one in form.dtypes]
    dtype = kept
    if len(offered) > 1:
        dtype = st.segmented_control(
            "Numbers", offered, default=kept, required=True, key=f"store_files_dtype_{name}", format_func=_TYPES.__getitem__,
            help="What smaller numbers lose is measured and written beside: the cosine to the embedding itself, and a probe's "
            "score where labels exist.",
        )  # fmt: skip
    chosen = None if form.has_all_layers else layer
    config = ExportConfig(
        store=str(store.folder), format=name, layer=chosen, dtype=None if dtype == kept else dtype, labels=_labels(store, dtype),
    )  # fmt: skip
    size = wording.megabytes(bytes_of(store, chosen, form, dtype) / 1e6)
    st.caption(f"{form.words} Up to about {size}.")
    _say_terms(store)
    _offer(config)


def _labels(store: EmbeddingStore, dtype: Dtype) -> str | None:
    """A raster of classes, where numbers are made smaller: what a probe loses is measured on it."""
    if np.dtype(dtype).itemsize >= np.dtype(store.meta.dtype).itemsize:
        return None
    return (
        st.text_input(
            "Raster of classes to measure the loss on (path on this machine)", key="store_files_labels",
            placeholder="empty: the masks of the scenes, where they have some", help=help_of(ExportConfig, "labels"),
        ).strip()
        or None
    )  # fmt: skip


def _say_terms(store: EmbeddingStore) -> None:
    """Licence, attribution and warnings, which go into every form."""
    meta = store.meta
    said = list(warnings_of(meta))
    if meta.licence or meta.attribution:
        said.append(
            f"Licence: {meta.licence or 'not stated'}. Attribution: {meta.attribution or 'not stated'}"
        )
    if said:
        st.caption(wording.plain("The files say: " + " ".join(said)))


def _offer(config: ExportConfig) -> None:
    """A button that starts the job, the job where it is under way, and its files once it is done."""
    found = [facts for facts in cached.jobs() if facts.config == config]
    job = found[0] if found else None
    if job is not None and job.state == "finished":
        files = _files(job.job.folder / FILES)
        if files:
            take.links(files)
            for note in _notes(job):
                st.caption(wording.told(note))
            st.code(str(job.job.folder / FILES), language=None, wrap_lines=True)
            return
    elif job is not None:
        jobs_panel.panel(job.job)
        return
    if st.button("Write the files", key="store_files_start", icon=":material/save:", width="stretch"):
        with errors.in_words(stop=False):
            submit(config, workspace.folder())
            st.rerun()


def _notes(facts: cached.JobFacts) -> list[str]:
    """What the job said of its files: what smaller numbers cost, patches that were moved."""
    return [event.message for _, event in cached.events_of(facts.job) if isinstance(event, Noticed)]


def _files(folder: Path) -> Sequence[tuple[str, str]]:
    """Label and address of each file; a folder as a zip that is made while it is sent."""
    if not folder.is_dir():
        return []
    return [(_label(one), _address(one)) for one in sorted(folder.iterdir()) if not one.name.startswith(".")]


def _label(path: Path) -> str:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    size = wording.megabytes(sum(one.stat().st_size for one in files) / 1e6)
    return f"{path.name}{'' if path.is_file() else '.zip'} · {size}"


def _address(path: Path) -> str:
    if path.is_file():
        return downloads.offer_file(path, path.name)
    return take.folder_zip(path, f"{path.name}.zip")
