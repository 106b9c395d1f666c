"""The parts of the Apply page: which decoder, which store (and why others do not fit), the map, hectares, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.learning.result import TrainRun
from pages.ui.apply.made_map import MadeMap
from pages.ui.jobs import chosen_run, scenes_below
from pages.ui.look import palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.state import address, cached, results

_NO_BASE = "None"


def choose_decoder(runs: Sequence[cached.JobFacts]) -> TrainRun:
    """A finished training: that of the address, or the one that a person comes from, or the newest.

    Raises:
        JobError: its files are gone or damaged.
    """
    chosen = chosen_run.choose("Decoder", runs, "apply_run", "train_job", results.training_words)
    return TrainRun.open(chosen.job.folder)


def choose_store(run: TrainRun, stores: Sequence[cached.JobFacts]) -> cached.JobFacts:
    """One of the stores that fit the decoder; the others are listed with what differs. Ends the page where none fits."""
    fitting, refused = _sorted(run, stores)
    if not fitting:
        st.info(
            f"No store here fits this decoder. Extract other ground with {wording.plain(run.decoder.backbone)}, "
            "on scenes of the same bands and level.",
            icon=":material/info:",
        )
        _why_not(refused)
        if st.button(
            "Extract other ground", type="primary", key="apply_extract", icon=":material/arrow_forward:"
        ):
            st.session_state["backbone_name"] = run.decoder.backbone
            st.switch_page("pages/extract.py")
        st.stop()
    by_id = {found.job.id: found for found in fitting}
    words = chosen_run.labels(by_id, results.store_words)
    address.restore("store", "apply_store", list(by_id), next(iter(by_id)))
    name = st.selectbox("Ground", list(by_id), key="apply_store", format_func=words.__getitem__)
    address.keep("store", "apply_store")
    _why_not(refused)
    return by_id[name]


def choose_base(chosen: cached.JobFacts) -> str | None:
    """Which composite lies below the map."""
    scenes = scenes_below.of_config(chosen.config.scene)
    options = [*(layers.composites_of(scenes) if scenes else []), _NO_BASE]
    first = layers.best_of(scenes) if scenes else _NO_BASE
    widget = f"apply_base_{len(options)}"
    address.restore("bands", widget, options, first)
    base = st.segmented_control("Below", options, required=True, key=widget)
    address.keep("bands", widget)
    return base if base != _NO_BASE else None


def show(run: TrainRun, chosen: cached.JobFacts, base: str | None, made: MadeMap | None) -> None:
    """The imagery, and over it the map once there is one."""
    scenes = scenes_below.of_config(chosen.config.scene)
    below = layers.imagery(scenes, base) if scenes else []
    over = []
    if made is not None:
        words = f"Mapped by {run.decoder.head['name']} on {run.decoder.backbone}"
        shown = {
            value: colour
            for value, colour in run.task.prediction_style.colours.items()
            if value in run.task.sought
        }
        over = [
            layers.classes(
                made.raster,
                words,
                " and ".join(run.task.sought.values()).capitalize(),
                shown,
                run.task.prediction_style.names,
            )
        ]
    if not scenes and not over:
        return
    bounds = layers.opening(scenes) if scenes else over[0].bounds_lonlat
    maps.draw(
        maps.View(
            page="apply", key=f"apply_{chosen.job.id}", focus=chosen.job.id, bounds_lonlat=bounds,
            boxes=layers.boxes_of(scenes), shown=(*below, *over), outlines=layers.outlines(scenes, palette.ASH),
            overlay_percent=80,
        )
    )  # fmt: skip


def hectares(made: MadeMap) -> None:
    """How much of each class there is."""
    for name, area in made.hectares.items():
        st.metric(
            name.capitalize(),
            f"{area:,.1f} ha",
            help="On the ellipsoid, of all pixels that the decoder calls so.",
        )
    style.small(f"{wording.count(made.count, 'polygon')}; pixels that touch by a side are one.")
    for note in made.notes:
        st.caption(wording.plain(note))


def downloads(run: TrainRun, chosen: cached.JobFacts, made: MadeMap) -> None:
    """The map and its polygons as files for other programs."""
    st.subheader("Take it home", anchor=False)
    name = f"{chosen.job.id}-{run.folder.name}"
    for path, label, kind in (
        (made.raster, "GeoTIFF of classes", "image/tiff"),
        (made.geopackage, "Polygons as GeoPackage", "application/geopackage+sqlite3"),
        (made.geojson, "Polygons as GeoJSON", "application/geo+json"),
    ):
        words = f"{label} · {wording.megabytes(path.stat().st_size / 1e6)}"
        st.download_button(
            words, path.read_bytes, file_name=f"{name}{path.suffix}", mime=kind, key=f"take_{path.suffix[1:]}",
            icon=":material/download:", width="stretch", on_click="ignore",
        )  # fmt: skip


def legend(run: TrainRun, made: MadeMap | None) -> None:
    """The colours of the classes that are looked for."""
    if made is None:
        return
    colours, source = run.task.prediction_style.colours, run.decoder.source or "not stated"
    style.legend(
        [(style.css(colours[value]), name) for value, name in run.task.sought.items()],
        f"Learned from: {source}",
    )


def _sorted(
    run: TrainRun, stores: Sequence[cached.JobFacts]
) -> tuple[list[cached.JobFacts], list[tuple[cached.JobFacts, str]]]:
    """The stores that fit, and the others with the reason."""
    fitting, refused = [], []
    for found in stores:
        try:
            run.decoder.require_fit(results.store_of(found.job))
        except EngineError as err:
            refused.append((found, str(err)))
        else:
            fitting.append(found)
    return fitting, refused


def _why_not(refused: Sequence[tuple[cached.JobFacts, str]]) -> None:
    if not refused:
        return
    with st.expander(
        f"{wording.count(len(refused), 'store')} that the decoder cannot read", icon=":material/block:"
    ):
        for found, reason in refused:
            st.markdown(f"**{wording.plain(results.store_words(found))}**")
            st.caption(wording.plain(_short(reason, found.job.folder)))


def _short(reason: str, folder: Path) -> str:
    """The reason without the path of the store, which stands above it."""
    return reason.replace(f"{folder}/store", "This store").replace(str(folder), "This run")
