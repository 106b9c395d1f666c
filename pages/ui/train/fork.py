"""A new training that begins with the settings of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engine.jobs.configuration.config import EmbeddingFilesConfig, ExtractConfig, TrainConfig
from engine.jobs.folder import settled_folder
from engine.jobs.job import Job
from pages.ui import workspace
from pages.ui.state import results, session
from pages.ui.train import task_form


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
        state["t_terms"] = ", ".join(f"{name}: {weight:g}" for name, weight in config.loss.terms.items())
    state |= task_form.state_of(config.task)
    if config.labels.path:
        state |= {"t_labels": "raster", "t_label_path": config.labels.path}
    elif config.labels.source == "scene":
        state |= {"t_labels": "scene", **({"t_label_name": config.labels.name} if config.labels.name else {})}
    if (store := _run_of(config)) is not None:
        state["train_store"] = store
    st.session_state.update(state)
    st.session_state["forked_from"] = job.id
    session.set_job(None)


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
