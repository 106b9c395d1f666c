"""The settings of a training: from widgets to a TrainConfig, every help text from the configuration itself."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from engine.errors import EngineError
from engine.jobs.config import (
    BackboneConfig,
    ExtractConfig,
    HeadConfig,
    LabelsConfig,
    LossConfig,
    SegmentationConfig,
    SimulatedScene,
    SplitConfig,
    TrainConfig,
)  # fmt: skip
from engine.store.store import EmbeddingStore
from pages.ui.look import wording
from pages.ui.look.fields import DEVICES, choices_of, help_of
from pages.ui.state import cached, results
from pages.ui.train import task_form

_HEADS = {
    "mlp": "MLP · looks at one patch",
    "linear": "Linear · the plainest probe",
    "conv": "Convolution · sees the neighbours",
}
_LOSSES = {
    "cross_entropy_dice": "Cross-entropy + Dice",
    "cross_entropy": "Cross-entropy",
    "dice": "Dice",
    "focal": "Focal",
}
_SPLITS = {
    "auto": "As the data say, else by place",
    "files": "By the data's split files",
    "place": "By place, in blocks of tiles",
}
_SEASON = ExtractConfig(
    scene=SimulatedScene(source="simulated", seed=0, date="post"),
    backbone=BackboneConfig(name="csmask_b4_l2a"),
)


@dataclass(frozen=True)
class Source:
    """What a training learns from: a store that is there, or an extraction that is made first."""

    words: str
    store: str | ExtractConfig
    is_simulated: bool
    is_random: bool
    layers: tuple[int, ...]
    has_labels: bool


def choose_source() -> Source:
    """The stores of this machine, and the fire season for those who have none."""
    found = {item.job.id: item for item in results.stores()}
    options = [*found, ""]
    held = st.session_state.get("store_job")
    name = st.selectbox(
        "Embeddings", options, index=options.index(held) if held in found else _first_labelled(options, found),
        key="train_store", format_func=lambda n: results.store_words(found[n]) if n else
        "Fire season with csmask_b4_l2a · extracted first, about a minute", help=help_of(TrainConfig, "store"),
    )  # fmt: skip
    if not name:
        return Source("the fire season, extracted first", _SEASON, True, False, (), True)
    try:
        store = results.store_of(found[name].job)
        masked = any(scene.mask_path for scene in cached.scenes(found[name].config.scene))
    except EngineError as err:
        st.warning(wording.plain(str(err)), icon=":material/error_outline:")
        st.stop()
    return _of_store(store, masked)


def settings(source: Source) -> TrainConfig:
    """Task, labels, head, loss, rate, epochs and split.

    Raises:
        ConfigError: settings that exclude each other.
    """
    task = task_form.choose()
    labels = _labels(source)
    st.subheader("Decoder", anchor=False)
    one, two = st.columns(2)
    head = one.selectbox("Head", choices_of(HeadConfig, "name"), key="t_head", format_func=lambda n: _HEADS.get(n, n),
                         help=help_of(HeadConfig, "name"))  # fmt: skip
    loss = two.selectbox("Loss", choices_of(LossConfig, "name"), index=_default_loss(), key="t_loss",
                         format_func=lambda n: _LOSSES.get(n, n), help="What the training minimises; missing pixels never count.")  # fmt: skip
    defaults = TrainConfig(store="")
    rate = one.number_input("Learning rate", 1e-6, 1.0, defaults.learning_rate, 1e-4, "%.5f", key="t_rate",
                            help=help_of(TrainConfig, "learning_rate"))  # fmt: skip
    epochs = two.number_input(
        "Epochs, at most", 1, 1000, defaults.epochs, key="t_epochs", help=help_of(TrainConfig, "epochs")
    )
    with st.expander("More settings", icon=":material/tune:"):
        return _rest(source, task, labels, str(head), str(loss), float(rate), int(epochs))


def _rest(
    source: Source,
    task: str | SegmentationConfig,
    labels: LabelsConfig,
    head: str,
    loss: str,
    rate: float,
    epochs: int,
) -> TrainConfig:
    defaults, plain_head = TrainConfig(store=""), HeadConfig()
    one, two = st.columns(2)
    split = one.selectbox("Split", choices_of(SplitConfig, "by"), key="t_split", format_func=lambda n: _SPLITS.get(n, n),
                          help=help_of(SplitConfig, "by"))  # fmt: skip
    patience = two.number_input(
        "Patience (epochs)",
        1,
        1000,
        defaults.patience,
        key="t_patience",
        help=help_of(TrainConfig, "patience"),
    )
    widths = one.text_input("Hidden widths", ", ".join(map(str, plain_head.hidden)), key="t_hidden", disabled=head == "linear",
                            help=help_of(HeadConfig, "hidden"))  # fmt: skip
    dropout = two.number_input(
        "Dropout", 0.0, 0.95, plain_head.dropout, 0.05, key="t_dropout", help=help_of(HeadConfig, "dropout")
    )
    weight = one.number_input(
        "Weight of burnt", 0.01, 100.0, LossConfig().burned_weight, 0.5, key=f"t_weight_{task == 'burn_scars'}",
        disabled=task != "burn_scars", help=help_of(LossConfig, "burned_weight"),
    )  # fmt: skip
    decay = two.number_input(
        "Weight decay",
        0.0,
        1.0,
        defaults.weight_decay,
        0.01,
        key="t_decay",
        help=help_of(TrainConfig, "weight_decay"),
    )
    seed = one.number_input(
        "Seed", 0, 2**31 - 1, defaults.seed, key="t_seed", help=help_of(TrainConfig, "seed")
    )
    device = two.selectbox("Device", DEVICES, key="t_device", help=help_of(TrainConfig, "device"))
    position = one.selectbox("Position in the window", choices_of(TrainConfig, "position"), key="t_position",
                             help=help_of(TrainConfig, "position"))  # fmt: skip
    kept = None
    if len(source.layers) > 1:
        picked = st.multiselect(
            "Layers",
            source.layers,
            default=source.layers,
            key="t_layers",
            help=help_of(TrainConfig, "layers"),
        )
        kept = tuple(picked) if picked and tuple(picked) != source.layers else None
    return TrainConfig(
        store=source.store, task=task, labels=labels, layers=kept, position=position, split=SplitConfig(by=split),
        head=HeadConfig(name=head, hidden=_widths(widths, plain_head.hidden), dropout=dropout),
        loss=LossConfig(name=loss, burned_weight=weight), learning_rate=rate, weight_decay=decay, epochs=epochs,
        patience=int(patience), device=device, seed=int(seed),
    )  # fmt: skip


def _labels(source: Source) -> LabelsConfig:
    """Masks of the scenes where they have some, or a raster."""
    if not source.has_labels:
        st.info(
            "These scenes bring no labels. Name a label raster, or choose the fire season above.",
            icon=":material/label:",
        )
    options = ["scene", "raster"] if source.has_labels else ["raster"]
    kind = st.segmented_control("Labels from", options, default=options[0], required=True, key="t_labels",
                                format_func={"scene": "The scenes", "raster": "A raster"}.__getitem__)  # fmt: skip
    if kind == "scene":
        return LabelsConfig()
    path = st.text_input(
        "Label raster (path on this machine)", key="t_label_path", help=help_of(LabelsConfig, "path")
    )
    return LabelsConfig(source="raster", path=path)


def _of_store(store: EmbeddingStore, has_labels: bool) -> Source:
    meta = store.meta
    words = f"{wording.count(store.rows, 'patch', 'patches')} of {meta.backbone}"
    return Source(words, str(store.folder), meta.is_simulated, meta.is_random, meta.layers, has_labels)


def _first_labelled(options: list[str], found: dict[str, cached.JobFacts]) -> int:
    """The newest store whose scenes are labelled; the fire season where there is none."""
    labelled = [i for i, name in enumerate(options) if name and cached.has_labels(found[name].config.scene)]
    return labelled[0] if labelled else len(options) - 1


def _default_loss() -> int:
    return choices_of(LossConfig, "name").index(LossConfig().name)


def _widths(text: str, default: tuple[int, ...]) -> tuple[int, ...]:
    found = tuple(int(part) for part in text.replace(",", " ").split() if part.isdecimal() and int(part) > 0)
    return found or default
