"""The guided path: six steps from a place with known fires to a map of other ground, the next one highlighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from engine.learning.result import TrainRun
from pages.ui.look import wording
from pages.ui.state import cached, results, session

State = Literal["done", "next", "later"]
_SIGNS = {"done": ":green[:material/check_circle:]", "next": ":primary[:material/play_circle:]", "later": ":gray[:material/circle:]"}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        why: one sentence for somebody who does this for the first time.
        page: script of the page on which it is done.
        is_done: as the files of the workspace tell, or this visit.
    """

    title: str
    why: str
    button: str
    page: str
    is_done: bool


def show() -> None:
    """The steps in order, each with a button; only the next one's is highlighted."""
    for number, (step, state) in enumerate(with_states(steps()), start=1):
        with st.container(border=state == "next", key=f"step_{number}_{state}", horizontal=True, vertical_alignment="center"):  # fmt: skip
            st.markdown(
                f"{_SIGNS[state]} **{number}. {step.title}**  \n:small[{wording.plain(step.why)}]",
                width="stretch",
            )
            kind: Literal["primary", "tertiary"] = "primary" if state == "next" else "tertiary"
            if st.button(step.button, type=kind, key=f"do_step_{number}", width=190):
                go_to(step)


def go_to(step: Step) -> None:
    """Open the page of a step; the first two work on the fire season."""
    if step.page in ("pages/explore.py", "pages/extract.py"):
        session.set_place(session.SEASON.key)
    st.session_state.setdefault("steps_seen", set()).add(step.page)
    st.switch_page(step.page)


def with_states(found: list[Step]) -> list[tuple[Step, State]]:
    """Each step with whether it is done, the next one, or comes later; a step before a done one counts as done."""
    done = max((i for i, step in enumerate(found) if step.is_done), default=-1)
    states: list[State] = [
        "done" if i <= done else "next" if i == done + 1 else "later" for i in range(len(found))
    ]
    return list(zip(found, states, strict=True))


def steps() -> list[Step]:
    """The steps, and what the workspace tells of each."""
    seen = st.session_state.get("steps_seen", set())
    stores = [found for found in results.stores() if _is_labelled(found)]
    runs = results.trainings()
    has_colours = any((found.job.folder / "overlays").is_dir() for found in stores)
    has_maps = any(any(TrainRun(run.job.folder).folder.glob("maps/*/report.json")) for run in runs)
    return [
        Step("Look at ground with known fires", "Forty-eight simulated places, each with a mask of what burned.",
             "Look at the fires", "pages/explore.py", "pages/explore.py" in seen),
        Step("Send it through a backbone", "Every patch of the images becomes a row of numbers, its embedding; once is enough.",
             "Extract embeddings", "pages/extract.py", bool(stores)),
        Step("See what the backbone sees", "Ground of the same colour looks alike to it: scars should stand out.",
             "See the embeddings", "pages/embeddings.py", has_colours),
        Step("Teach a decoder", "A small network learns from the masks which embeddings are burnt; it takes a minute or two.",
             "Train a decoder", "pages/train.py", bool(runs)),
        Step("See how good it is", "It is judged on places that it never saw, beside a plain threshold of the burn ratio (NBR).",
             "See the scores", "pages/evaluate.py", "pages/evaluate.py" in seen and bool(runs)),
        Step("Map a scar and take the map home", "The decoder maps any ground of the same backbone, with hectares and polygons.",
             "Make a map", "pages/apply.py", has_maps),
    ]  # fmt: skip


def _is_labelled(found: cached.JobFacts) -> bool:
    """Whether an extraction can teach: of a real backbone, on scenes with masks."""
    return found.config.backbone.name != "raw" and cached.has_labels(found.config.scene)
