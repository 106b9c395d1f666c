"""The settings of a training that most people leave alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs.configuration.config import HeadConfig, LossConfig, TrainConfig
from engine.jobs.configuration.task import is_of_numbers
from engine.jobs.configuration.train import SEE_NEIGHBOURS, WITHOUT_GRADIENT
from pages.ui.look.fields import DEVICES, choices_of, help_of
from pages.ui.train.source import Source
from pages.ui.train.words import AUGMENT, PIXELS, SCHEDULES


def choose(source: Source, task: object, head: str, loss: dict[str, Any]) -> dict[str, Any]:
    """Head, loss, steps, seed, device and layers, as keys and values of a TrainConfig."""
    defaults = TrainConfig(store="")
    one, two = st.columns(2)
    own_head = _head(one, two, head)
    own_loss = {**loss, **_weights(one, two, task)}
    found = {"head": own_head, "loss": own_loss}
    if head not in WITHOUT_GRADIENT:
        found |= _steps(one, two, head)
    seed = one.number_input(
        "Seed", 0, 2**31 - 1, defaults.seed, key="t_seed", help=help_of(TrainConfig, "seed")
    )
    device = two.selectbox("Device", DEVICES, key="t_device", help=help_of(TrainConfig, "device"))
    found |= {"seed": int(seed), "device": device}
    if len(source.layers) > 1:
        picked = st.multiselect("Layers", source.layers, default=source.layers, key="t_layers",
                                help=help_of(TrainConfig, "layers"))  # fmt: skip
        if picked and tuple(picked) != source.layers:
            found["layers"] = picked
    return found


def _head(one: Any, two: Any, name: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": name}
    defaults = HeadConfig()
    pixels = one.selectbox("Pixels of a patch", choices_of(HeadConfig, "pixels"), key="t_pixels",
                           format_func=lambda n: PIXELS.get(n, n), help=help_of(HeadConfig, "pixels"))  # fmt: skip
    plain["pixels"] = pixels
    match name:
        case "knn":
            plain["neighbours"] = int(two.number_input("Neighbours", 1, 1000, defaults.neighbours, key="t_neighbours",
                                                       help=help_of(HeadConfig, "neighbours")))  # fmt: skip
        case "forest":
            plain["trees"] = int(two.number_input("Trees", 1, 1000, defaults.trees, key="t_trees",
                                                  help=help_of(HeadConfig, "trees")))  # fmt: skip
        case "mlp" | "conv" | "fusion":
            widths = two.text_input("Hidden widths", ", ".join(map(str, defaults.hidden)), key="t_hidden",
                                    help=help_of(HeadConfig, "hidden"))  # fmt: skip
            plain["hidden"] = _widths(widths) or defaults.hidden
            plain["dropout"] = one.number_input("Dropout", 0.0, 0.95, defaults.dropout, 0.05, key="t_dropout",
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
    weight = one.number_input("Weight of burnt", 0.01, 100.0, LossConfig().burned_weight, 0.5, key="t_weight_True",
                              help=help_of(LossConfig, "burned_weight"))  # fmt: skip
    return {"weights": how, "burned_weight": weight}


def _steps(one: Any, two: Any, head: str) -> dict[str, Any]:
    """Optimiser, schedule, patience, decay, clipping, precision and flips."""
    defaults = TrainConfig(store="")
    found: dict[str, Any] = {
        "optimizer": one.selectbox("Optimiser", choices_of(TrainConfig, "optimizer"), key="t_optimizer",
                                   format_func={"adamw": "AdamW", "adam": "Adam"}.__getitem__,
                                   help=help_of(TrainConfig, "optimizer")),
        "schedule": two.selectbox("Step size", choices_of(TrainConfig, "schedule"), key="t_schedule",
                                  format_func=lambda n: SCHEDULES.get(n, n), help=help_of(TrainConfig, "schedule")),
        "patience": int(one.number_input("Patience (epochs)", 1, 1000, defaults.patience, key="t_patience",
                                         help=help_of(TrainConfig, "patience"))),
        "weight_decay": two.number_input("Weight decay", 0.0, 1.0, defaults.weight_decay, 0.01, key="t_decay",
                                         help=help_of(TrainConfig, "weight_decay")),
        "precision": one.selectbox("Precision", choices_of(TrainConfig, "precision"), key="t_precision",
                                   help=help_of(TrainConfig, "precision")),
    }  # fmt: skip
    clip = two.number_input("Longest gradient (0: any)", 0.0, 1000.0, 0.0, 0.5, key="t_clip",
                            help=help_of(TrainConfig, "clip_norm"))  # fmt: skip
    found["clip_norm"] = clip or None
    if head in SEE_NEIGHBOURS:
        found["augment"] = one.selectbox("Augmentation", choices_of(TrainConfig, "augment"), key="t_augment",
                                         format_func=lambda n: AUGMENT.get(n, n), help=help_of(TrainConfig, "augment"))  # fmt: skip
    return found


def _widths(text: str) -> list[int]:
    return [int(part) for part in text.replace(",", " ").split() if part.isdecimal() and int(part) > 0]
