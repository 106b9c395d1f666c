"""A new training that begins with the settings of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engine.jobs.configuration.config import (
    EmbeddingFilesConfig,
    ExtractConfig,
    LabelsConfig,
    TrainConfig,
    parse_config,
)
from engine.jobs.configuration.task import is_of_tiles
from engine.jobs.folder import settled_folder
from engine.jobs.job import Job
from pages.ui import workspace
from pages.ui.jobs.differing import differing_in_words
from pages.ui.look import wording
from pages.ui.state import results, session
from pages.ui.train import task_form
from pages.ui.train.source import OUTSIDE, is_season

_BASE = "t_forked"
# Of a configuration what the form has no field for, and what it asks for with some heads only.
_WITHOUT_FIELD = ("position", "warm_up", "batch_patches", "baselines")
_DRAWN = ("validation", "test", "seed")
_OF_HEAD = ("optimizer", "schedule", "patience", "weight_decay", "precision", "clip_norm", "augment")


def fork(job: Job, config: TrainConfig) -> None:
    """Fill the form with a run's settings and leave the run; called before the page is drawn."""
    state: dict[str, Any] = {
        "t_head": config.head.name, "t_pixels": config.head.pixels, "t_dropout": config.head.dropout,
        "t_hidden": ", ".join(map(str, config.head.hidden)), "t_neighbours": config.head.neighbours,
        "t_trees": config.head.trees, "t_rate": config.learning_rate, "t_epochs": config.epochs,
        "t_patience": config.patience, "t_decay": config.weight_decay, "t_optimizer": config.optimizer,
        "t_schedule": config.schedule, "t_precision": config.precision, "t_clip": config.clip_norm or 0.0,
        "t_augment": config.augment, "t_weights": config.loss.weights, "t_weight_True": config.loss.burned_weight,
        "t_seed": config.seed, "t_device": config.device, "t_split": config.split.by,
        "t_block": config.split.block_m / 1000, "t_fire": config.split.fire_m / 1000,
        "t_buffer": config.split.buffer_m / 1000,
    }  # fmt: skip
    if config.loss.name in ("squared", "absolute", "huber"):
        state["t_loss_numbers"] = config.loss.name
    else:
        state["t_loss"] = config.loss.name
    if config.loss.terms:
        state["t_terms"] = ", ".join(f"{name}: {weight}" for name, weight in config.loss.terms.items())
    if config.layers and min(config.layers) >= 0:
        state["t_layers"] = list(config.layers)
    state |= task_form.state_of(config.task)
    state |= {"t_labels": config.labels.source, "t_label_path": config.labels.path or ""}
    if config.labels.name:
        state["t_label_name"] = config.labels.name
    store = "" if is_season(config.store) else _run_of(config)
    state["train_store"] = OUTSIDE if store is None else store
    state["train_store_outside"] = config.store if store is None else None
    if is_of_tiles(config.task):
        state["t_head_tile"] = config.head.name
    for key in [one for one in st.session_state if str(one).startswith("t_")]:
        del st.session_state[key]
    st.session_state.update(state)
    st.session_state["train_store_shown"] = state["train_store"]
    st.session_state["forked_from"] = job.id
    st.session_state[_BASE] = (job.id, config.model_dump(mode="json"), state["train_store"])
    session.set_job(None)


def forget_when_left() -> None:
    """The form begins anew when a person comes back to it: what has no field must not stay as the fork had it."""
    if "t_epochs" not in st.session_state:
        st.session_state.pop(_BASE, None)


def has_label_files() -> bool:
    """Whether the forked run has labels that the form cannot ask for."""
    return _BASE in st.session_state and st.session_state[_BASE][1]["labels"]["source"] == "files"


def label_files() -> LabelsConfig:
    """The labels of the forked run."""
    return LabelsConfig.model_validate(st.session_state[_BASE][1]["labels"])


def completed(tree: dict[str, Any]) -> dict[str, Any]:
    """What a person set, with what has no field in the form as the forked run has it.

    What belongs to a store, a head or a way to divide stays only as long as that is the run's.
    """
    if _BASE not in st.session_state:
        return tree
    _, base, store = st.session_state[_BASE]
    found = {**{name: base[name] for name in _WITHOUT_FIELD}, **tree}
    divided = (
        base["split"]
        if tree["split"]["by"] == base["split"]["by"]
        else {name: base["split"][name] for name in _DRAWN}
    )
    found["split"] = {**divided, **tree["split"]}
    if tree["head"]["name"] == base["head"]["name"]:
        found |= {name: base[name] for name in _OF_HEAD if name not in tree}
        found["head"] = {**base["head"], **tree["head"]}
    if st.session_state["train_store"] != store:
        return found
    found["store"] = base["store"]
    if "layers" not in tree:
        found["layers"] = base["layers"]
    if (found["split"], found["seed"]) == (base["split"], base["seed"]):
        found["watch_tile"] = base["watch_tile"]
    labels = tree["labels"]
    if labels["source"] == "scene" and labels["name"] is None and "t_label_name" not in st.session_state:
        found["labels"] = {**labels, "name": base["labels"]["name"]}
    return found


def tell(config: TrainConfig, tree: dict[str, Any]) -> None:
    """Above the form: of which run it is a fork, and what is as there without a field to change it."""
    if _BASE not in st.session_state:
        return
    plain, full = parse_config(tree, "These settings"), config
    also = differing_in_words([full, plain])[0] if full != plain else ""
    name = st.session_state[_BASE][0]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Fork of {wording.plain(name)}**"
            + (f" &nbsp; as there: {wording.plain(also)}" if also else "")
        )
        if st.button("Begin anew", key="t_leave_fork", type="tertiary"):
            for key in [one for one in st.session_state if str(one).startswith("t_")]:
                del st.session_state[key]
            st.rerun()


def _run_of(config: TrainConfig) -> str | None:
    """The run whose store a training learned from; None where the form does not offer it."""
    if isinstance(config.store, EmbeddingFilesConfig):
        return None
    folder = (
        settled_folder(config.store, workspace.folder())
        if isinstance(config.store, ExtractConfig)
        else Path(config.store).parent
    )
    offered = {item.job.id: item.job.folder.resolve() for item in results.stores()}
    return folder.name if offered.get(folder.name) == folder.resolve() else None
