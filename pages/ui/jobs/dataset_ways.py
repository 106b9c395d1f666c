"""The ways on from a labelled data set: look at it, or extract and train on it with one click."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.jobs.configuration.config import (
    BackboneConfig,
    ChipsScene,
    ExtractConfig,
    HeadConfig,
    TrainConfig,
)
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.look import errors, style, wording
from pages.ui.map import layers
from pages.ui.state import cached, own_places, session

# Reads surface reflectance of these bands with weights that come with the app; others read pixels as they are.
_USUAL, _BANDS = "csmask_b4_l2a", {"blue", "green", "red", "nir_narrow"}


def offer(folder: Path, title: str, key: str) -> bool:
    """The two buttons.

    Returns:
        Whether the data set became the place looked at.
    """
    scene = ChipsScene(source="chips", path=str(folder))
    with errors.in_words(stop=False):
        style.small(_cost_words(_extraction(scene)))
    with st.container(horizontal=True):
        is_trained = st.button(
            "Extract and train on it", type="primary", key=f"train_{key}", icon=":material/school:",
            help="One job: embeddings with the embedded backbone, then a decoder that is tested once on the test split.",
        )  # fmt: skip
        is_looked_at = st.button("Look at it", key=f"look_{key}", icon=":material/map:")
    if not (is_trained or is_looked_at):
        return False
    with errors.in_words(stop=False):
        extraction = _extraction(scene)
        if is_looked_at:
            name = extraction.backbone.name
            session.set_place(own_places.keep(own_places.free_title(title, scene), scene, name))
            return True
        job = submit(TrainConfig(store=extraction, head=HeadConfig(name="mlp")), workspace.folder())
        st.switch_page("pages/train.py", query_params={"job": job.id})
    return False


def _extraction(scene: ChipsScene) -> ExtractConfig:
    """The embeddings that the one click makes first; raises as `_backbone`."""
    return ExtractConfig(scene=scene, backbone=BackboneConfig(name=_backbone(scene)))


def _cost_words(config: ExtractConfig) -> str:
    """What the one click takes.

    Raises:
        BadInput: the extraction would be refused.
    """
    found = cached.estimate_of(config)
    time = (
        "a time not known yet" if found.minutes is None else f"about {wording.duration(60 * found.minutes)}"
    )
    return (
        f"Extraction: {wording.count(found.tiles, 'chip')} with {config.backbone.name}, {time}, "
        f"{wording.megabytes(found.megabytes)} of embeddings. Then a decoder of its own learns, and says how long it takes. "
        f"Extract and Train have all settings."
    )


def _backbone(scene: ChipsScene) -> str:
    """What a data set is first looked at and trained with.

    Raises:
        SceneError: it cannot be read.
    """
    scenes = cached.scenes(scene)
    bands = set(layers.common_bands(scenes))
    return _USUAL if bands >= _BANDS and scenes[0].level == "surface" else session.usual_backbone(list(bands))


def folder_of(summary: dict[str, object] | None) -> Path | None:
    """The folder of the data set that a finished job made or fetched; None where it made none, or it is gone."""
    if not summary:
        return None
    files = summary.get("files")
    named = summary.get("dataset") or (files[0] if isinstance(files, list) and len(files) == 1 else None)
    try:
        folder = Path(str(named)) if named else None
        return folder if folder is not None and any((folder / "data").glob("*_merged.tif")) else None
    except (OSError, EngineError):
        return None


def remarks(summary: dict[str, object] | None) -> None:
    """What could not be had, as a table."""
    lost = (summary or {}).get("not_had")
    if isinstance(lost, list) and lost:
        with st.expander(f"What could not be had ({len(lost)})", icon=":material/report:", expanded=len(lost) < 6):  # fmt: skip
            st.dataframe(
                [{"Fire": one["fire"], "Date": one["date"], "Why": one["reason"]} for one in lost],
                hide_index=True, width="stretch",
            )  # fmt: skip
            st.caption(
                wording.plain("fires.csv in the data set's folder holds the same, and each fire's images.")
            )
