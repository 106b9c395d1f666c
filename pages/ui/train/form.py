"""The settings of a training: from widgets to a TrainConfig, every help text from the configuration itself."""

from __future__ import annotations

from typing import Any

import streamlit as st
import yaml

from engine.errors import ConfigError
from engine.jobs.configuration.config import HeadConfig, LabelsConfig, LossConfig, TrainConfig, parse_config
from engine.jobs.configuration.task import is_of_numbers, is_of_tiles
from engine.jobs.configuration.train import OF_NUMBERS
from engine.labels.label_names import MASK
from pages.ui.look import glossary
from pages.ui.look.fields import choices_of, help_of
from pages.ui.train import fork, more_settings, split_form, task_form
from pages.ui.train.began import begin
from pages.ui.train.source import Source
from pages.ui.train.words import HEADS, LOSSES

_TERMS = "cross_entropy: 1, lovasz: 0.5"


def settings(source: Source) -> TrainConfig:
    """Task, labels, head, loss, rate, epochs, split and what lies below More settings.

    Raises:
        ConfigError: settings that exclude each other.
    """
    told = st.container()
    fork.forget_when_left()
    task = task_form.choose()
    rows = "tile" if is_of_tiles(task) else "patch"
    source = source.of_rows(rows)
    if source.granularity != rows:
        raise ConfigError(
            f"This task needs a store with one row a {rows}, and the one above has one a {source.granularity}. Choose another "
            f"store, or extract with granularity: {rows}."
        )
    labels = _labels(source, is_own=not isinstance(task, str))
    st.subheader("Decoder", anchor=False)
    one, two = st.columns(2)
    head = str(one.selectbox("Head", _heads(rows, source), key=f"t_head_{rows}" if rows == "tile" else "t_head",
                             format_func=lambda n: HEADS.get(n, n), help=glossary.meaning("head", help_of(HeadConfig, "name"))))  # fmt: skip
    loss = _loss(two, is_of_numbers(task))
    defaults = TrainConfig(store="")
    begin("t_rate", defaults.learning_rate)
    begin("t_epochs", defaults.epochs)
    learns_in_steps = HeadConfig.model_validate({"name": head, "hidden": (8,)}).has_gradient
    rate = one.number_input("Learning rate", 1e-9, 1.0, step=1e-4, format="%.5f", key="t_rate",
                            disabled=not learns_in_steps, help=help_of(TrainConfig, "learning_rate"))  # fmt: skip
    epochs = two.number_input(
        "Epochs, at most", 1, 1000, key="t_epochs", disabled=not learns_in_steps,
        help=glossary.meaning("epoch", help_of(TrainConfig, "epochs")),
    )  # fmt: skip
    seed = int(st.session_state.get("t_seed", defaults.seed))
    split = split_form.choose(source, seed)
    with st.expander("More settings", icon=":material/tune:"):
        more = more_settings.choose(source, task, head, loss)
    tree: dict[str, Any] = {
        "kind": "train", "store": _plain(source.store), "task": _plain(task), "labels": _plain(labels),
        "split": split, "learning_rate": float(rate), "epochs": int(epochs), **more,
    }  # fmt: skip
    found = parse_config(fork.completed(tree), "These settings")
    assert isinstance(found, TrainConfig), "kind: train"
    with told:
        fork.tell(found, tree)
    return found


def _heads(rows: str, source: Source) -> list[str]:
    """The heads that can take what the source has: fusion where there are several layers, and no neighbours of tiles."""
    alone = ("conv", "fusion") if rows == "tile" else () if len(source.layers) > 1 else ("fusion",)
    return [name for name in choices_of(HeadConfig, "name") if name not in alone]


def _loss(column: Any, takes_numbers: bool) -> dict[str, Any]:
    """Name and terms of the loss, of those that the task takes."""
    every = choices_of(LossConfig, "name")
    names = [name for name in every if (name in OF_NUMBERS) == takes_numbers]
    default = OF_NUMBERS[0] if takes_numbers else LossConfig().name
    key = "t_loss_numbers" if takes_numbers else "t_loss"
    begin(key, default)
    name = column.selectbox(
        "Loss", names, key=key,
        format_func=lambda n: LOSSES.get(n, n), help=glossary.meaning("loss", help_of(LossConfig, "name")),
    )  # fmt: skip
    if name != "sum":
        return {"name": name}
    begin("t_terms", _TERMS)
    text = st.text_input("Losses and their weights", key="t_terms", help=help_of(LossConfig, "terms"))
    try:
        return {"name": name, "terms": yaml.safe_load(f"{{{text}}}")}
    except yaml.YAMLError as err:
        raise ConfigError(f"{text!r} is no list of losses and weights. Write it like {_TERMS}.") from err


def _labels(source: Source, is_own: bool) -> LabelsConfig:
    """Labels of the scenes where they have some, or a raster.

    Args:
        is_own: whether the task is a person's own, which any labels of the scenes may be of.
    """
    if not source.has_labels and not st.session_state.get("t_label_path"):
        st.info(
            "Nothing labels this ground yet. Name a label raster, label patches on the Label page, or choose the fire season above.",
            icon=":material/label:",
        )
    options = ["scene", "raster"] if source.has_labels else ["raster"]
    if fork.has_label_files():
        options.append("files")
    if st.session_state.get("t_labels") not in options:
        st.session_state["t_labels"] = options[0]
    words = {"scene": "The scenes", "raster": "A raster", "files": "The files of the forked run"}
    kind = st.segmented_control(
        "Labels from", options, required=True, key="t_labels", format_func=words.__getitem__
    )
    if kind == "files":
        return fork.label_files()
    if kind == "scene":
        return LabelsConfig(name=_name_of_labels(source) if is_own else None)
    path = st.text_input(
        "Label raster (path on this machine)", key="t_label_path", help=help_of(LabelsConfig, "path")
    )
    return LabelsConfig(source="raster", path=path)


def _name_of_labels(source: Source) -> str | None:
    """Which of the labels beside the scenes; None where there is nothing to choose."""
    names = source.label_names
    if not names or names == (MASK,):
        return None
    words = {name: f"{name} · <chip>.{name}.tif" for name in names}
    chosen = st.selectbox(
        "Which labels of the scenes",
        names,
        key="t_label_name",
        format_func=words.__getitem__,
        help=help_of(LabelsConfig, "name"),
    )
    return None if chosen == MASK else str(chosen)


def _plain(value: Any) -> Any:
    """A part of a configuration as plain keys and values."""
    return value if isinstance(value, str) else value.model_dump(mode="json")
