"""The settings of a training that most people leave alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.errors import ConfigError
from engine.jobs.configuration.config import HeadConfig, LossConfig, TrainConfig
from engine.jobs.configuration.task import is_of_numbers
from engine.jobs.configuration.train import SEE_NEIGHBOURS, WITHOUT_GRADIENT
from pages.ui.look.fields import DEVICES, choices_of, help_of
from pages.ui.train.began import begin
from pages.ui.train.source import Source
from pages.ui.train.words import AUGMENT, PIXELS, SCHEDULES


def choose(source: Source, task: object, head: str, loss: dict[str, Any]) -> dict[str, Any]:
    """Head, loss, steps, seed, device and layers, as keys and values of a TrainConfig."""
    _begin(source)
    one, two = st.columns(2)
    own_head = _head(one, two, head)
    own_loss = {**loss, **_weights(one, two, task)}
    found = {"head": own_head, "loss": own_loss}
    if head not in WITHOUT_GRADIENT:
        found |= _steps(one, two, head)
    seed = one.number_input("Seed", 0, 2**31 - 1, key="t_seed", help=help_of(TrainConfig, "seed"))
    device = two.selectbox("Device", _devices(), key="t_device", help=help_of(TrainConfig, "device"))
    found |= {"seed": int(seed), "device": device}
    if len(source.layers) > 1:
        if not set(st.session_state["t_layers"]) <= set(source.layers):  # of another store
            st.session_state["t_layers"] = list(source.layers)
        picked = st.multiselect("Layers", source.layers, key="t_layers",
                                help=help_of(TrainConfig, "layers"))  # fmt: skip
        if picked and tuple(picked) != source.layers:
            found["layers"] = picked
    return found


def _devices() -> list[str]:
    """The usual ones, and that of a fork."""
    return list(dict.fromkeys((*DEVICES, str(st.session_state.get("t_device", DEVICES[0])))))


def _head(one: Any, two: Any, name: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": name}
    pixels = one.selectbox("Pixels of a patch", choices_of(HeadConfig, "pixels"), key="t_pixels",
                           format_func=lambda n: PIXELS.get(n, n), help=help_of(HeadConfig, "pixels"))  # fmt: skip
    plain["pixels"] = pixels
    match name:
        case "knn":
            plain["neighbours"] = int(two.number_input("Neighbours", 1, 1000, key="t_neighbours",
                                                       help=help_of(HeadConfig, "neighbours")))  # fmt: skip
        case "forest":
            plain["trees"] = int(two.number_input("Trees", 1, 1000, key="t_trees",
                                                  help=help_of(HeadConfig, "trees")))  # fmt: skip
        case "mlp" | "conv" | "fusion":
            widths = two.text_input("Hidden widths", key="t_hidden",
                                    help=help_of(HeadConfig, "hidden"))  # fmt: skip
            plain["hidden"] = _widths(widths)
            plain["dropout"] = one.number_input("Dropout", 0.0, 0.99, step=0.05, key="t_dropout",
                                                help=help_of(HeadConfig, "dropout"))  # fmt: skip
    return plain


def _weights(one: Any, two: Any, task: object) -> dict[str, Any]:
    """How much the classes count."""
    if is_of_numbers(task):
        return {}
    how = two.selectbox("Weights of the classes", choices_of(LossConfig, "weights"), key="t_weights",
                        format_func={"given": "As given", "balanced": "By how rare they are"}.__getitem__,
                        help=help_of(LossConfig, "weights"))  # fmt: skip
    if task != "burn_scars":
        return {"weights": how}
    weight = one.number_input("Weight of burnt", 0.001, 1000.0, step=0.5, key="t_weight_True",
                              help=help_of(LossConfig, "burned_weight"))  # fmt: skip
    return {"weights": how, "burned_weight": weight}


def _steps(one: Any, two: Any, head: str) -> dict[str, Any]:
    """Optimiser, schedule, patience, decay, clipping, precision and flips."""
    found: dict[str, Any] = {
        "optimizer": one.selectbox("Optimiser", choices_of(TrainConfig, "optimizer"), key="t_optimizer",
                                   format_func={"adamw": "AdamW", "adam": "Adam"}.__getitem__,
                                   help=help_of(TrainConfig, "optimizer")),
        "schedule": two.selectbox("Step size", choices_of(TrainConfig, "schedule"), key="t_schedule",
                                  format_func=lambda n: SCHEDULES.get(n, n), help=help_of(TrainConfig, "schedule")),
        "patience": int(one.number_input("Patience (epochs)", 1, key="t_patience",
                                         help=help_of(TrainConfig, "patience"))),
        "weight_decay": two.number_input("Weight decay", 0.0, 1.0, step=0.01, key="t_decay",
                                         help=help_of(TrainConfig, "weight_decay")),
        "precision": one.selectbox("Precision", choices_of(TrainConfig, "precision"), key="t_precision",
                                   help=help_of(TrainConfig, "precision")),
    }  # fmt: skip
    clip = two.number_input("Longest gradient (0: any)", 0.0, 1000.0, step=0.5, key="t_clip",
                            help=help_of(TrainConfig, "clip_norm"))  # fmt: skip
    found["clip_norm"] = clip or None
    if head in SEE_NEIGHBOURS:
        found["augment"] = one.selectbox("Augmentation", choices_of(TrainConfig, "augment"), key="t_augment",
                                         format_func=lambda n: AUGMENT.get(n, n), help=help_of(TrainConfig, "augment"))  # fmt: skip
    return found


def _widths(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ConfigError(f"{text!r} is no list of hidden widths. Write whole numbers, such as 256, 128.")
    return [int(part) for part in parts]


def _begin(source: Source) -> None:
    """The defaults of the configuration in the fields."""
    defaults, head = TrainConfig(store=""), HeadConfig()
    for key, value in {
        "t_seed": defaults.seed, "t_neighbours": head.neighbours, "t_trees": head.trees, "t_dropout": head.dropout,
        "t_hidden": ", ".join(map(str, head.hidden)), "t_weight_True": LossConfig().burned_weight,
        "t_patience": defaults.patience, "t_decay": defaults.weight_decay, "t_clip": defaults.clip_norm or 0.0,
        "t_layers": list(source.layers),
    }.items():  # fmt: skip
        begin(key, value)
