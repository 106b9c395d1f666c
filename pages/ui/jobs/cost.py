"""What an extraction will take, said before it starts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.backbones.core.spec import BackboneSpec
from engine.extraction.cost.estimate import Estimate
from engine.imagery.scene import Scene
from engine.jobs import spare
from engine.jobs.configuration.config import ExtractConfig
from pages.ui.jobs import calibration
from pages.ui.look import errors, style, wording
from pages.ui.state import cached, machine, regions

# A CNN pads the border of a tile with zeros and shows it: with so much overlap the seam score of the sample scene
# fell from 1.36 to 1.03, for a fifth more time. Transformers pad nothing: for them it is left to the person.
_CNN_OVERLAP_PX = 64
_REFRESH_S = 1.0
_TIME_FROM = {
    "measured on this machine": "Time from {runs} on this machine.",
    "bench": "Time from a measurement of the backbone on this machine.",
    "rough guess": "Time is a rough guess; a first run measures it, and so does python -m engine bench.",
    "unknown": "Time is not known yet; a first run measures it, and so does python -m engine bench.",
}


def has_neighbours(scenes: Sequence[Scene]) -> bool:
    """Whether tiles can overlap; chips are tiles of their own."""
    return not all(scene.is_chip for scene in scenes)


def usual_overlap_px(spec: BackboneSpec, scenes: Sequence[Scene]) -> int:
    """Overlap of tiles that the pages propose."""
    return _CNN_OVERLAP_PX if spec.layer_strides and has_neighbours(scenes) else 0


def show(config: ExtractConfig, key: str = "") -> None:
    """Area, tiles, patches, megabytes and minutes of an extraction.

    Args:
        key: tells it from another one on the same page.

    Raises:
        BadInput: what the extraction itself would refuse.
    """
    _draw(cached.estimate_of(config), config)
    calibration.offer(config, cached.estimate_of(config).minutes_source, f"measure_speed{key}")


def show_and_measure(config: ExtractConfig) -> None:
    """As `show`, beside the button that starts it: a process gets ready for it, and measures the speed where it is not known.

    Raises:
        BadInput: what the extraction itself would refuse.
    """
    spare.keep_ready(config.backbone.name, config.device)
    source = cached.estimate_of(config).minutes_source
    if calibration.is_under_way(config, source):
        st.fragment(_until_measured, run_every=_REFRESH_S)(config)
    else:
        show(config)


def _until_measured(config: ExtractConfig) -> None:
    """The guess, drawn again as the whole page is when the speed has been measured, or will not be."""
    with errors.in_words(stop=False):
        found = cached.estimate_of(config)
        if not calibration.is_under_way(config, found.minutes_source):
            st.rerun()
        _draw(found, config, "The speed is being measured.")


def _draw(found: Estimate, config: ExtractConfig, more: str = "") -> None:
    minutes = "not known yet" if found.minutes is None else f"≈ {wording.duration(60 * found.minutes)}"
    style.facts((
        ("Area", wording.area(_area_km2(config))), ("Tiles", f"{found.tiles:,}"), ("Patches", f"{found.patches:,}"),
        ("Store", f"≈ {wording.megabytes(found.megabytes)}"), ("Time", minutes),
        ("Device", machine.device_words()),
    ))  # fmt: skip
    words = _TIME_FROM.get(found.minutes_source, "").format(runs=wording.count(found.runs, "earlier run"))
    style.small(f"{words.partition(';')[0]}. {more}" if more else words)


def _area_km2(config: ExtractConfig) -> float:
    """Of the region, or of all scenes where there is none; dates of one place count once."""
    if config.region is not None:
        return regions.checked(config.region).area_km2
    return sum(scene.area_km2 for scene in {one.grid: one for one in cached.scenes(config.scene)}.values())
