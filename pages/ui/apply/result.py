"""A finished map: on the map at once, with a threshold that the browser follows, hectares, polygons and files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.jobs.job import Job
from engine.learning.maps.alike import DISAGREEMENT, disagreement_ramp
from engine.learning.maps.facts import FACTS, PROBABILITY, VALUES, MapFacts, read_map
from engine.learning.maps.numbers import in_words
from engine.views.maps.probability_map import STEPS, step_of
from pages.ui.apply import map_files
from pages.ui.apply.panel import threshold_panel
from pages.ui.jobs import scene_scores, scenes_below, take
from pages.ui.look import notices, palette, style, wording
from pages.ui.map import layers, maps, number_layers, scene_gallery, threshold_layer
from pages.ui.state import address, bound, cached, downloads, results

_SMALLEST_HA = 1.0
_SHOWS = ("the map", "where they disagree")


@dataclass(frozen=True)
class Shown:
    """One map of a job.

    Attributes:
        channel: by which the panel and the layer know each other.
    """

    folder: Path
    facts: MapFacts

    @property
    def channel(self) -> str:
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]


def open_maps(job: Job) -> list[Shown]:
    """The maps of a job that has finished.

    Raises:
        JobError: one is gone or damaged.
    """
    folders = sorted((job.folder / "maps").glob(f"*/{FACTS}"), key=lambda path: int(path.parent.name))
    return [Shown(path.parent, read_map(path.parent)) for path in folders]


def choose(found: Sequence[Shown]) -> Shown:
    """The one of several maps whose hectares and files the panel shows."""
    if len(found) == 1:
        bound.refuse_unless_shown("map", address.read("map"), found[0].folder.name)
        return found[0]
    by_number = {one.folder.name: one for one in found}
    widget = f"apply_map_{found[0].folder.parent.parent.name}"
    address.restore("map", widget, list(by_number), found[0].folder.name)
    number = st.selectbox(
        "Ground", list(by_number), key=widget, format_func=lambda name: by_number[name].facts.title
    )
    address.keep("map", widget)
    return by_number[number]


def shows_disagreement(shown: Shown) -> bool:
    """Whether the map shows where the decoders of an ensemble disagree; asked only of a map of several."""
    if not (shown.folder / DISAGREEMENT).is_file():
        bound.refuse_unless_shown("show", address.read("show"), _SHOWS[0])
        return False
    widget = f"apply_show_{shown.channel}"
    address.restore("show", widget, _SHOWS, _SHOWS[0])
    chosen = st.segmented_control(
        "The map shows", _SHOWS, key=widget, required=True, format_func=str.capitalize,
        help="Disagreement is the standard deviation of what the decoders say: of their numbers, or of their probabilities: 0 "
        "where all say the same, 0.5 where half are certain of one class and half of another.",
    )  # fmt: skip
    address.keep("show", widget)
    return chosen == _SHOWS[1]


def show(job: Job, shown: Shown, scenes: Sequence[layers.Scene], disagreement: bool) -> None:
    """The imagery, and over it the map, coloured by the browser; or where several decoders disagree."""
    facts = shown.facts
    over = _numbers(shown) if facts.is_of_numbers else _classes(shown)
    maps.draw(
        maps.View(
            page="apply", key=f"apply_{job.id}_{shown.folder.name}", focus=str(shown.folder),
            bounds_lonlat=layers.opening(scenes) if scenes else over.bounds_lonlat, boxes=layers.boxes_of(scenes),
            shown=(*_below(facts, scenes), _disagreement(shown) if disagreement else over),
            outlines=layers.outlines(scenes, palette.ASH), overlay_percent=80,
        )
    )  # fmt: skip


def _numbers(shown: Shown) -> maps.Shown:
    """A map of numbers with its colour bar."""
    facts = shown.facts
    return number_layers.numbers(
        [shown.folder / VALUES], f"Mapped by {facts.head} on {facts.backbone}", facts.quantity, facts.ramp
    )


def _classes(shown: Shown) -> maps.Shown:
    """A map of classes, cut by the browser where the panel's threshold lies."""
    facts, path = shown.facts, shown.folder / PROBABILITY
    # Where the map was opened: from then on the panel tells the browser, and the layer stays.
    step = st.session_state.setdefault(f"apply_step_{shown.channel}", step_of(threshold(facts)))
    cut = threshold_layer.Cut(shown.channel, step, _colours(facts))
    title = facts.quantity[:1].upper() + facts.quantity[1:]
    return maps.Shown(
        threshold_layer.register(path, facts.style.sought), layers.raster_bounds(path), f"Mapped by {facts.head} on {facts.backbone}", title,
        "overlay", cut=cut, legend=layers.class_legend(dict(cut.colours), facts.style.sought),
    )  # fmt: skip


def panel(shown: Shown) -> None:
    """What has to be said of the map, the threshold with its hectares, and the files."""
    facts = shown.facts
    notices.simulated(facts.is_simulated)
    notices.taught_on_simulated(facts.is_taught_on_simulated, facts.is_simulated)
    notices.random_weights(facts.is_random)
    if facts.is_of_numbers:
        _number_panel(shown)
    else:
        _threshold_panel(shown)
    if facts.members > 1:
        style.small(f"The map is the mean of {facts.members} decoders.")
    days = f"of {_days(facts)}" if facts.dates else "without a stated date"
    areas = "" if facts.is_of_numbers else " Areas are those on the ellipsoid."
    style.small(f"All of {facts.title}: {facts.gsd_m:g} m pixels; imagery {days}.{areas}")
    for note in facts.notes:
        st.caption(wording.told(note))


def _number_panel(shown: Shown) -> None:
    """What a map of numbers says as a whole, and its files."""
    facts = shown.facts
    st.markdown(f"**{wording.plain(facts.quantity[:1].upper() + facts.quantity[1:])}**")
    st.markdown(wording.plain(in_words(facts)))
    st.caption(f"{facts.numbers['hectares']:,.1f} ha have a number.")
    named = downloads.offer_file(
        shown.folder / VALUES, f"{facts.title} {facts.taught.prediction_style.band_name}.tif"
    )
    picture = map_files.address(shown.folder, facts, "png", 0.0).replace("THRESHOLD", "0.50")
    of_several = [(str(one["label"]), str(one["address"])) for one in _disagreement_file(shown)]
    take.links([("GeoTIFF of numbers", named), ("Picture with legend", picture), *of_several])


def _threshold_panel(shown: Shown) -> None:
    """The threshold with its hectares, and the files that are cut at it."""
    facts = shown.facts
    smallest = st.number_input(
        "Smallest polygon (ha)", 0.0, 1e6, _SMALLEST_HA, 0.5, key="smallest", bind="query-params", help="Smaller polygons are left out of the "
        "polygon files and of the outlines; the hectares and the GeoTIFFs hold every pixel.",
    )  # fmt: skip
    chosen = threshold_panel(f"threshold_{shown.channel}", _data(shown, smallest))
    address.write("threshold", f"{chosen:.2f}" if chosen != facts.style.default_threshold else None)


def series(found: Sequence[Shown]) -> None:
    """Hectares of each map of a job, by date: what a series tells."""
    if len(found) < 2:
        return
    is_of_numbers = found[0].facts.is_of_numbers
    what = "Numbers" if is_of_numbers else "Hectares"
    with st.expander(f"{what} on all {len(found)} maps", icon=":material/table_rows:"):
        rows = [
            {"Ground": one.facts.title, "Imagery": _days(one.facts), **_told_of(one.facts)}
            for one in sorted(found, key=lambda one: (one.facts.store, one.facts.dates))
        ]
        st.dataframe(rows, hide_index=True, width="stretch")
        if not is_of_numbers:
            st.caption(f"Above the threshold {threshold(found[0].facts):.2f}.")


def _told_of(facts: MapFacts) -> dict[str, float]:
    """What the table of several maps says of one."""
    if facts.is_of_numbers:
        named = {"mean": "Mean", "std": "Standard deviation", "least": "Least", "greatest": "Greatest"}
        return {
            f"{words} of {facts.quantity}": round(facts.numbers[key], 4)
            for key, words in named.items()
            if key in facts.numbers
        }
    return {
        f"{name.capitalize()} (ha)": area for name, area in facts.hectares_above(threshold(facts)).items()
    }


def _disagreement(shown: Shown) -> maps.Shown:
    """Where the decoders of an ensemble disagree, as a layer with a colour bar."""
    words = f"Disagreement of {shown.facts.members} decoders"
    return number_layers.numbers(
        [shown.folder / DISAGREEMENT], words, "Where they disagree", disagreement_ramp(shown.facts.taught)
    )


def threshold(facts: MapFacts) -> float:
    """That of the address, else the usual one of the task."""
    asked = address.read("threshold") or ""
    try:
        wanted = float(asked)
        step_of(wanted)
    except (ValueError, EngineError):
        if asked:
            bound.refuse("threshold", asked)
        return max(facts.style.default_threshold, 0.01)
    return min(max(wanted, 0.01), 0.99)


def legend(facts: MapFacts) -> None:
    """The colours of the classes that are looked for; a map of numbers has its colour bar on it."""
    colours = {} if facts.is_of_numbers else facts.style.colours
    style.legend(
        [
            (style.css(colours[value]), facts.style.sought[value])
            for value in colours
            if value in facts.style.sought
        ],
        f"Learned from: {facts.taught_on or 'not stated'}",
    )


def _data(shown: Shown, smallest_ha: float) -> Mapping[str, object]:
    """What the panel in the browser is given: sums by step, colours, and addresses of files."""
    facts, folder = shown.facts, shown.folder
    by_value: Mapping[int, list[float]] = defaultdict(lambda: [0.0] * STEPS, facts.hectares)
    sought = " or ".join(facts.style.sought.values())
    is_binary = facts.style.other is not None
    return {
        "channel": shown.channel, "threshold": threshold(facts), "smallest": f"{smallest_ha:g}",
        "words": f"Shown where the decoder gives {sought} a probability above it." if is_binary
        else "Shown where the likeliest class has a probability above it.",
        "classes": [
            {"value": value, "name": name.capitalize(), "colour": style.css(facts.style.colours[value]), "steps": by_value[value]}
            for value, name in facts.style.sought.items()
        ],
        "files": [
            {"label": label, "address": map_files.address(folder, facts, kind, smallest_ha)}
            for kind, (label, _, _) in map_files.KINDS.items()
        ] + _disagreement_file(shown),
        "polygons": map_files.address(folder, facts, "geojson", smallest_ha),
        "counted": f"These hectares count every pixel. The polygon files hold only polygons of {smallest_ha:g} ha or more: "
        f"outline them to see how many hectares they have." if smallest_ha else "",
    }  # fmt: skip


def _disagreement_file(shown: Shown) -> list[dict[str, str]]:
    """The map of where the decoders of an ensemble disagree, as it lies in the run."""
    path = shown.folder / DISAGREEMENT
    if not path.is_file():
        return []
    return [
        {
            "label": "GeoTIFF of disagreement",
            "address": downloads.offer_file(path, f"{shown.facts.title} disagreement.tif"),
        }
    ]


def _colours(facts: MapFacts) -> tuple[tuple[int, tuple[int, int, int, int]], ...]:
    return tuple((value, facts.style.colours[value]) for value in facts.style.sought)


def scenes_of(facts: MapFacts) -> tuple[layers.Scene, ...]:
    """The scenes that were mapped; where they or their store have gone, that is said in the panel."""
    try:
        store = results.open_store(Path(facts.store))
        config = cached.extraction_of(store)
    except EngineError as err:
        st.caption(f"Without imagery below: {wording.told(str(err))}")
        return ()
    wanted = {name for tile in store.tiles for name in tile.scene_ids}
    return tuple(scene for scene in scenes_below.of_config(config.scene) if scene.id in wanted)


def _below(facts: MapFacts, scenes: Sequence[layers.Scene]) -> list[maps.Shown]:
    """The imagery that was mapped, with its scenes side by side where there are several."""
    if not scenes:
        return []
    imagery = layers.imagery(scenes, layers.best_of(scenes))
    return scene_gallery.with_gallery(
        imagery, scenes, scene_scores.of_decoder(Path(facts.decoder), Path(facts.store), scenes)
    )


def _days(facts: MapFacts) -> str:
    if not facts.dates:
        return wording.NO_DATE
    return facts.dates[0] if len(facts.dates) == 1 else f"{facts.dates[0]} to {facts.dates[-1]}"
