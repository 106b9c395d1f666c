"""What an encoder without pretraining reaches with the same decoder: found among the trainings, or started for this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.jobs.job import submit
from engine.jobs.note import Note, write_note
from engine.jobs.parent import read_parent, write_parent
from engine.learning.baselines.encoders import NAMES, UNTAUGHT, Untaught, kind_of, makes_sense, untaught
from engine.learning.judging.judgement import Method
from engine.learning.keeping.result import CARD, TrainRun
from pages.ui import workspace
from pages.ui.evaluate import judged
from pages.ui.jobs import jobs_panel
from pages.ui.state import cached

_REFRESH_S = 2.0
Found = tuple[TrainRun, Method]


def found(run: TrainRun, runs: Sequence[cached.JobFacts]) -> list[Found]:
    """Trainings that are this one's but for an untaught encoder, the newest of each kind."""
    held: dict[Untaught, Found] = {}
    for item in runs:
        kind = _kind(run, item.job.folder)
        other = TrainRun(item.job.folder)
        if kind is None or kind in held or (judgement := judged.read(other)) is None:
            continue
        first = judgement.methods[0]
        held[kind] = (other, Method(kind, NAMES[kind], "", first.counts))
    return [held[kind] for kind in UNTAUGHT if kind in held]


def offer(run: TrainRun, there: Sequence[Found]) -> None:
    """A button for each untaught encoder that was not tried yet, and how far those are that were started."""
    absent = [
        kind
        for kind in UNTAUGHT
        if kind not in {method.key for _, method in there} and makes_sense(run, kind)
    ]
    started = [item for item in cached.jobs() if read_parent(item.job.folder) == run.folder.name]
    under_way = [item for item in started if item.state in jobs_panel.ACTIVE]
    if under_way:
        _progress(tuple(str(item.job.folder) for item in under_way))
        return
    failed = [item for item in started if item.state in ("failed", "interrupted")]
    if failed and absent:
        st.caption("A comparison that was started has failed; Runs tells why, under this training.")
    if absent and st.button(
        "Compare with encoders without pretraining", key="compare_untaught", icon=":material/balance:", width="stretch",
        help="Trains the " + " and the ".join(NAMES[kind] for kind in absent) + ", with the same tiles, labels and "
        "places. Their embeddings are made first where they are not there; Runs shows them under this training.",
    ):  # fmt: skip
        for kind in absent:
            job = submit(untaught(run, kind), workspace.folder())
            write_parent(job.folder, run.folder.name)
            write_note(
                job.folder,
                Note(NAMES[kind].capitalize(), f"Started for {run.folder.name}, to compare with."),
            )
        st.rerun()


@st.fragment(run_every=_REFRESH_S)
def _progress(folders: tuple[str, ...]) -> None:
    """How far the comparisons are; the page is drawn anew once they have ended."""
    facts = [found for found in cached.jobs() if str(found.job.folder) in folders]
    active = [one for one in facts if one.state in jobs_panel.ACTIVE]
    if not active:
        st.rerun()
    words = "; ".join(f"{one.config.store.backbone.name}: {one.state}" for one in facts)
    st.caption(f"Being compared with encoders without pretraining. {words}.")


def _kind(run: TrainRun, folder: Path) -> Untaught | None:
    if folder == run.folder:
        return None
    stamps = tuple((path / CARD).stat().st_mtime_ns for path in (run.folder, folder))
    return _cached_kind(str(run.folder), str(folder), stamps)


@st.cache_data(show_spinner=False, max_entries=4096)
def _cached_kind(own: str, other: str, stamps: tuple[int, ...]) -> Untaught | None:
    del stamps
    try:
        return kind_of(TrainRun(Path(own)), TrainRun(Path(other)))
    except (EngineError, OSError):
        return None
