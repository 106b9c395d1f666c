"""What a person keeps of a run: its name, a note, and all of it as one zip file, which can be opened again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from engine.jobs.job import Job
from engine.jobs.keeping.archive import open_archive
from engine.jobs.keeping.zip_stream import archive_bytes
from engine.jobs.note import LONGEST_NAME, LONGEST_TEXT, Note, read_note, write_note
from engine.learning.keeping.decoder_file import open_decoder
from engine.learning.keeping.result import SCORES, TrainRun
from engine.learning.maps.facts import FACTS
from pages.ui import workspace
from pages.ui.jobs import take
from pages.ui.look import errors, wording
from pages.ui.state import session, uploads


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
    """All files of a run as one zip, made while it is sent; and the report of a training that came to its scores, or of maps."""
    files = [
        (
            f"All of it as a zip · {wording.megabytes(archive_bytes(job.folder) / 1e6)}",
            take.folder_zip(job.folder, f"{job.id}.zip"),
        )
    ]
    if (job.folder / SCORES).is_file():
        files.append(("Report, one page", take.report_address(TrainRun(job.folder))))
    elif next((job.folder / "maps").glob(f"*/{FACTS}"), None):
        files.append(("Report, one page", take.map_report_address(job.folder)))
    take.links(files)


def offer_opening() -> None:
    """A place to drop the zip of a run, or the file of a decoder, from this machine or another."""
    with st.expander("Open the zip of a run, or a decoder", icon=":material/unarchive:"):
        turn = st.session_state.get("zip_turn", 0)
        file = st.file_uploader(
            f"A zip from Runs or a decoder.safetensors, at most {uploads.limit_mb():,} MB; python -m engine open takes larger ones",
            type=["zip", "safetensors"],
            key=f"zip_{turn}", max_upload_size=uploads.limit_mb(),
        )  # fmt: skip
        if file is None:
            return
        with errors.in_words():
            name = (
                _opened_decoder(file.getvalue())
                if file.name.endswith(".safetensors")
                else open_archive(file, workspace.folder()).id
            )
        uploads.forget_uploaded([file])
        st.session_state["zip_turn"] = turn + 1
        session.set_job(name)
        st.rerun()


def _opened_decoder(content: bytes) -> str:
    """The name of the run that a decoder's file becomes."""
    with tempfile.TemporaryDirectory() as held:
        path = Path(held) / "decoder.safetensors"
        path.write_bytes(content)
        return open_decoder(path, workspace.folder()).folder.name
