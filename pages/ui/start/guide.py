"""The guided path: six steps from a burn scar to its map. What each starts, what it waits for, and how far a workspace is.

A person follows it by one button. Nothing of it is kept but the step in the address: how far somebody is, the jobs of
the workspace tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from engine.jobs.configuration.config import (
    ApplyConfig,
    BackboneConfig,
    ExtractConfig,
    HeadConfig,
    JobConfig,
    LossConfig,
    TrainConfig,
    config_hash,
)
from engine.jobs.job import submit
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.ground import extraction_for
from engine.store.store import FINISHED
from pages.ui import workspace
from pages.ui.state import address, bound, cached, session

_KEY = "guide"
# Chosen on the validation places of the twelve fires (season version 2), IoU of burnt: 0.72 within six seconds on two cores. The
# usual learning rate reaches 0.68, the convolutional head 0.66 in eight times the time, the embedded pretrained encoder 0.68.
_HEAD, _EPOCHS, _LEARNING_RATE = HeadConfig(name="mlp"), 12, 3e-3
# Decoders of the season call too little of scars burnt that they never saw (assets/configs/train/simulated.yaml).
_LOSS = LossConfig(burned_weight=2.0)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        why: one sentence for somebody who does this for the first time.
        button: what leads to it.
        page: script of the page on which it is done.
        works: kind of the job that it starts; empty where it only shows something.
    """

    title: str
    why: str
    button: str
    page: str
    works: str = ""


STEPS: tuple[Step, ...] = (
    Step("Look at a burn scar",
         "In this false colour plants are green and freshly burnt ground is red: this is the scar that you will map.",
         "Look at a burn scar", "pages/explore.py"),
    Step("Turn images into numbers",
         "A frozen network, the backbone, turns every small patch of twelve other fires into a row of numbers, its embedding; "
         "this one needs no download: its filters are random pieces of the scenes.",
         "Send twelve other fires through a backbone", "pages/extract.py", "extract"),
    Step("Look at the embeddings",
         "Patches with similar embeddings have similar colours: does the scar stand out, of which nobody told the backbone?",
         "Look at the embeddings", "pages/embeddings.py"),
    Step("Teach a decoder",
         "A small network, the decoder, learns from masks of what burned which embeddings are burnt ground.",
         "Teach a decoder what burnt means", "pages/train.py", "train"),
    Step("See how good it is",
         "It is judged on fires that it never saw, beside simpler ways: a threshold of a burn ratio (NBR) and a random forest; "
         "with so few fires these may win.",
         "See how good it is", "pages/evaluate.py"),
    Step("Map the scar on another place",
         "The decoder maps the scar that you began with; move the threshold, read the hectares, and take the map home.",
         "Now map the first scar with it", "pages/apply.py", "apply"),
)  # fmt: skip


def current() -> int | None:
    """The step that a person is at, from 1; None where they do not follow the path."""
    held = st.session_state.get(_KEY)
    if held is None:
        asked = address.read(_KEY) or ""
        is_step = asked in [str(n) for n in range(1, len(STEPS) + 1)]
        held = st.session_state[_KEY] = int(asked) if is_step else 0
        if asked and not is_step:
            bound.refuse("step of the guided path", asked)
    return int(held) or None


def keep_in_address() -> None:
    """The address names the step, so that a refresh or a link goes on there."""
    step = current()
    address.write(_KEY, str(step) if step else None)


def leave() -> None:
    """End the path; all that was made is kept."""
    st.session_state[_KEY] = 0
    address.write(_KEY, None)


def enter(number: int) -> None:
    """Open the page of a step, and start what it does where that has not been done.

    Raises:
        BadInput, RunFailure: the job cannot be started.
    """
    step = STEPS[number - 1]
    st.session_state[_KEY] = number
    session.set_place(session.FIRST.key if step.works in ("", "apply") and number != 3 else session.FIRES.key)
    found = job_of(number)
    if step.works and found is None:
        config = _config(number)
        if config is not None:
            submit(config, workspace.folder())
            found = job_of(number)
    query = {"guide": str(number), **workspace.in_address()}
    shown = found if step.works else job_of(number - 1)
    if shown is not None and number > 1:
        query["job"] = shown.job.id
        st.session_state["store_job" if shown.kind == "extract" else "train_job"] = shown.job.id
    st.switch_page(step.page, query_params=query)


def job_of(number: int) -> cached.JobFacts | None:
    """The newest job of a step, of those that have not failed; None where there is none."""
    if number < 1 or not STEPS[number - 1].works:
        return None
    config = _config(number)
    if config is None:
        return None
    wanted = config_hash(config)
    found = [one for one in cached.jobs() if one.kind == config.kind and config_hash(one.config) == wanted]
    usable = [one for one in found if one.state in ("finished", "running", "queued") and not _is_hollow(one)]
    return next((one for one in usable if one.state == "finished"), usable[0] if usable else None)


def reached() -> int:
    """The first step, from 1, whose work has not been done; one more than there are where all have."""
    for number in (6, 4, 2):
        found = job_of(number)
        if found is not None and found.state == "finished":
            return number + 1
    return 1


def _is_hollow(found: cached.JobFacts) -> bool:
    """Whether a finished job's results have been taken away."""
    if found.state != "finished":
        return False
    match found.kind:
        case "extract":
            return not (found.job.folder / FINISHED).is_dir()
        case "train":
            return not TrainRun(found.job.folder).is_finished
        case _:
            return not (found.job.folder / "maps").is_dir()


def _config(number: int) -> JobConfig | None:
    """What a step asks for; None where the step before it has left nothing yet."""
    fires, scar = session.FIRES, session.FIRST
    match number:
        case 2:
            return ExtractConfig(scene=fires.scene, backbone=BackboneConfig(name=fires.backbone))
        case 4:
            made = job_of(2)
            if made is None or made.state != "finished":
                return None
            return TrainConfig(
                store=str(made.job.folder / FINISHED),
                head=_HEAD,
                loss=_LOSS,
                epochs=_EPOCHS,
                learning_rate=_LEARNING_RATE,
            )
        case 6:
            taught = job_of(4)
            if taught is None or taught.state != "finished":
                return None
            run = TrainRun.open(taught.job.folder)
            return ApplyConfig(
                decoder=str(run.folder), ground=(extraction_for(run, scar.scene),), titles=(scar.title,)
            )
        case _:
            return None
