"""What a person keeps of a run: its name, a note, and all of it as one zip file, which can be opened again."""

from __future__ import annotations

import tempfile
from io import BufferedRandom
from typing import cast

import streamlit as st

from engine.jobs.job import Job
from engine.jobs.keeping.archive import archive_bytes, open_archive, write_archive
from engine.jobs.note import LONGEST_NAME, LONGEST_TEXT, Note, read_note, write_note
from pages.ui import workspace
from pages.ui.look import errors, wording
from pages.ui.state import session, uploads

# The server holds what it hands to a browser in memory.
_LARGEST_MB = 500


def note(job: Job) -> None:
    """Name and note, kept beside the configuration."""
    held = read_note(job.folder)
    with st.form(f"note_{job.id}", border=False):
        name = st.text_input(
            "Name", held.name, max_chars=LONGEST_NAME, key=f"note_name_{job.id}", placeholder="none yet"
        )
        text = st.text_area("Note", held.text, max_chars=LONGEST_TEXT, key=f"note_text_{job.id}", height=90)
        if st.form_submit_button("Keep name and note", key=f"keep_note_{job.id}"):
            with errors.in_words(stop=False):
                write_note(job.folder, Note(name.strip(), text.strip()))
                st.rerun()


def download(job: Job) -> None:
    """All files of a run as one zip, where it is small enough for a browser."""
    megabytes = archive_bytes(job.folder) / 1e6
    if megabytes > _LARGEST_MB:
        st.caption(
            f"{wording.megabytes(megabytes)} are too much for a download. Copy the folder above instead."
        )
        return
    st.download_button(
        f"All of it as a zip · {wording.megabytes(megabytes)}", lambda: _archive(job), file_name=f"{job.id}.zip", mime="application/zip",
        key="take_run", icon=":material/download:", width="stretch", on_click="ignore",
    )  # fmt: skip


def offer_opening() -> None:
    """A place to drop the zip of a run, from this machine or another."""
    with st.expander("Open the zip of a run", icon=":material/unarchive:"):
        turn = st.session_state.get("zip_turn", 0)
        file = st.file_uploader(
            f"A zip from Runs, at most {uploads.limit_mb():,} MB; python -m engine open takes larger ones", type=["zip"],
            key=f"zip_{turn}", max_upload_size=uploads.limit_mb(),
        )  # fmt: skip
        if file is None:
            return
        with errors.in_words():
            job = open_archive(file, workspace.folder())
        uploads.forget_uploaded([file])
        st.session_state["zip_turn"] = turn + 1
        session.set_job(job.id)
        st.rerun()


def _archive(job: Job) -> BufferedRandom:
    """A temporary file that goes once it has been sent."""
    held = cast("BufferedRandom", tempfile.TemporaryFile())  # noqa: SIM115 - Streamlit reads and closes it
    write_archive(job.folder, held)
    held.seek(0)
    return held
