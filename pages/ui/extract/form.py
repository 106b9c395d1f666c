"""The settings of an extraction: from widgets to an ExtractConfig, every help text from the configuration itself."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Literal

import streamlit as st

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, OutputConfig, TilesConfig
from pages.ui.backbones import card as backbone_card
from pages.ui.backbones import fitting
from pages.ui.extract import dates
from pages.ui.jobs import cost
from pages.ui.look import glossary, wording
from pages.ui.look.fields import DEVICES, choices_of, help_of
from pages.ui.state import address, cached, regions, session

_PIXELS = (64, 128, 224, 256, 384, 512, 1024)


def choose_backbone(scenes: Sequence[Scene], bands: Sequence[str], place: session.Place) -> BackboneSpec:
    """A list of the cards that fit the place, those that run here first; the others with the reason."""
    names = fitting.fitting(scenes, bands)
    held = st.session_state.get("backbone_name", place.backbone)
    is_known = held in cards.CARDS or held.startswith(cards.BY_NAME)  # named on the Backbones page
    reason = fitting.why_not(cards.card(held), bands) if is_known else ""
    if is_known and not reason and held not in names:
        names = [held, *names]
    if reason:
        st.info(
            wording.plain(f"{held}, chosen before, does not fit {place.title}: it {reason}."),
            icon=":material/info:",
        )
    if "extract_backbone" not in st.session_state and held in names:
        st.session_state["extract_backbone"] = held
    address.restore("backbone", "extract_backbone", names, place.backbone)
    name = st.selectbox(
        "Backbone", names, key="extract_backbone",
        format_func=lambda n: _label(cards.card(n), scenes), help=help_of(BackboneConfig, "name"),
    )  # fmt: skip
    address.keep("backbone", "extract_backbone")
    fitting.show_others(bands, place.title)
    st.session_state["backbone_name"] = name
    return cards.card(name)


def settings(spec: BackboneSpec, scenes: Sequence[Scene]) -> ExtractConfig:
    """The rest of the settings, most of them folded away.

    Raises:
        ConfigError: settings that exclude each other.
    """
    place = session.place()
    weights = _weights(spec)
    layers = _layers(spec)
    scene, temporal = dates.choose(spec, place.scene, scenes)
    with st.expander("More settings", icon=":material/tune:"):
        left, right = st.columns(2)
        size_px = _size(left)
        overlap_px = _overlap(right, spec)
        gsd_m = _gsd(left)
        granularity: Literal["patch", "tile"] = right.segmented_control(
            "One row for each", ["patch", "tile"], default="patch", required=True, key="x_granularity",
            help=glossary.meaning("patch", help_of(ExtractConfig, "granularity")),
        )  # fmt: skip
        pooling = None
        if granularity == "tile":
            pooling = left.selectbox(
                "Pooling", list(spec.pooling), key="x_pooling", help=help_of(ExtractConfig, "pooling")
            )
        merge: Literal["deepest", "blend"] = "deepest"
        if overlap_px and granularity == "patch":
            merge = right.segmented_control(
                "Where tiles overlap", choices_of(TilesConfig, "merge"), default="deepest", required=True, key="x_merge",
                help=help_of(TilesConfig, "merge"),
            )  # fmt: skip
        stride_px = _stride(left, spec) if granularity == "patch" else None
        clouds: Literal["keep", "mask"] = left.segmented_control(
            "Clouds and shadows", ["keep", "mask"], default="keep", required=True, key="x_clouds",
            help=help_of(ExtractConfig, "clouds"),
        )  # fmt: skip
        dtype = right.selectbox(
            "Kept as", choices_of(OutputConfig, "dtype"), key="x_dtype", help=help_of(OutputConfig, "dtype")
        )
        device = left.selectbox("Device", DEVICES, key="x_device", help=help_of(ExtractConfig, "device"))
        seed = right.number_input("Seed", 0, 2**31 - 1, 0, key="x_seed", help=help_of(ExtractConfig, "seed"))
        engine = _engine(left)
        open_settings = _conventions(spec)
    return ExtractConfig(
        scene=scene,
        region=regions.chosen(),
        backbone=BackboneConfig(
            name=spec.name, weights=weights, layers=layers, temporal=temporal, settings=open_settings
        ),
        clouds=clouds,
        granularity=granularity,
        pooling=pooling,
        tiles=TilesConfig(
            size_px=size_px, overlap_px=overlap_px, merge=merge, stride_px=stride_px, gsd_m=gsd_m
        ),
        output=OutputConfig(dtype=dtype),
        device=device,
        engine=engine,
        seed=int(seed),
    )


def _label(spec: BackboneSpec, scenes: Sequence[Scene]) -> str:
    remarks = [
        fitting.other_level(spec, scenes),
        "" if backbone_card.is_present(spec) else "weights not here",
    ]
    return "  ·  ".join([spec.name, *(remark for remark in remarks if remark)])


def _weights(spec: BackboneSpec) -> str:
    if spec.weights.kind == "none":
        return "pretrained"
    drawn = {"pretrained": "drawn from the scenes"} if spec.weights.kind == "scenes" else {}
    choice = st.segmented_control(
        "Weights", ["pretrained", "random", "a file"], default="pretrained", required=True, key=f"x_weights_{spec.name}",
        help=help_of(BackboneConfig, "weights"), format_func=lambda value: drawn.get(value, value),
    )  # fmt: skip
    if choice == "a file":
        return st.text_input("Checkpoint (path on this machine)", key="x_checkpoint") or "pretrained"
    return str(choice)


def _layers(spec: BackboneSpec) -> tuple[int, ...] | None:
    if spec.depth < 2:
        return None
    default = [spec.layer_index(layer) for layer in spec.default_layers]
    chosen = st.multiselect(
        "Layers", range(spec.depth), default=default, key=f"x_layers_{spec.name}", help=glossary.meaning("layer", help_of(BackboneConfig, "layers")),
        format_func=lambda i: f"{i} · {spec.stride_px(i)} px · {spec.layer_dim(i)}-d" if spec.layer_strides else str(i),
    )  # fmt: skip
    return None if not chosen or chosen == default else tuple(chosen)


def _size(where: Any) -> int | None:
    return where.selectbox(
        "Tile size (px)", [None, *_PIXELS], key="x_size", help=help_of(TilesConfig, "size_px"),
        format_func=lambda v: "as the card says" if v is None else str(v),
    )  # fmt: skip


def _overlap(where: Any, spec: BackboneSpec) -> int:
    scenes = cached.scenes(session.place().scene)
    usual, is_chips = cost.usual_overlap_px(spec, scenes), not cost.has_neighbours(scenes)
    return int(
        where.number_input(
            "Tiles overlap by (px)", 0, 1024, usual, 16, key=f"x_overlap_{spec.name}_{is_chips}", disabled=is_chips,
            help=help_of(TilesConfig, "overlap_px"),
        )
    )  # fmt: skip


def _stride(where: Any, spec: BackboneSpec) -> int | None:
    """Halves and quarters of the patch; a row each patch is what is usual."""
    finer = [
        spec.patch_px // parts for parts in (2, 4) if not spec.layer_strides and spec.patch_px % parts == 0
    ]
    if not finer:
        return None
    return where.selectbox(
        "A row every", [None, *finer], key=f"x_stride_{spec.name}", help=help_of(TilesConfig, "stride_px"),
        format_func=lambda v: f"patch ({spec.patch_px} px)" if v is None else f"{v} px · {(spec.patch_px // v) ** 2} passes",
    )  # fmt: skip


def _gsd(where: Any) -> float | None:
    return where.number_input(
        "Resample to (m)",
        0.5,
        1000.0,
        None,
        key="x_gsd",
        placeholder="never",
        help=help_of(TilesConfig, "gsd_m"),
    )


def _engine(where: Any) -> Literal["local", "ray"]:
    """Asked only where there is a choice."""
    if find_spec("ray") is None:
        return "local"
    found: Literal["local", "ray"] = where.selectbox(
        "Engine", choices_of(ExtractConfig, "engine"), key="x_engine", help=help_of(ExtractConfig, "engine")
    )
    return found


def _conventions(spec: BackboneSpec) -> dict[str, str]:
    """Conventions that the publisher leaves open; only what differs from the default is written down."""
    chosen: dict[str, str] = {}
    if not spec.settings:
        return chosen
    st.caption("Conventions that the publisher leaves open")
    columns = st.columns(2)
    for number, (name, values) in enumerate(spec.settings.items()):
        picked = columns[number % 2].selectbox(
            name.replace("_", " ").capitalize(),
            values,
            key=f"x_set_{spec.name}_{name}",
            help=spec.conventions.get(name),
        )
        if picked != values[0]:
            chosen[name] = picked
    return chosen
