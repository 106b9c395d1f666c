"""The one map of all pages: land, imagery, overlay, outlines, and what a person draws."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from pages.ui.look.palette import ASH, EMBER, theme
from pages.ui.map import lens, map_controls, threshold_layer, vendor
from pages.ui.map.legend import NO_LEGEND, Legend
from pages.ui.map.routes import serving

Bounds = map_controls.Bounds
# The frame asks for so much before our script fits the map to it (assets/page/page.css gives the frame its size).
_HEIGHT_PX = 640


@dataclass(frozen=True)
class Shown:
    """Tiles on the map.

    Attributes:
        token: of `tiles.register`.
        bounds_lonlat: west, south, east, north in degrees; nothing is asked for outside.
        credit: source and date, as the map's corner says them.
        title: what the list of layers calls it.
        pane: "imagery" (below) or "overlay" (above, with its own opacity).
        legend: what its colours mean, for its row in the list of layers.
        reads: whether the server can say what lies under the pointer.
        cut: of a map of probabilities, which the browser colours.
        gallery: token of the scenes that stand side by side at the map's foot; "" without.
    """

    token: str
    bounds_lonlat: Bounds
    credit: str
    title: str
    pane: str = "imagery"
    legend: Legend = NO_LEGEND
    reads: bool = True
    cut: threshold_layer.Cut | None = None
    gallery: str = ""


@dataclass(frozen=True)
class Outline:
    """A polygon's line in lon/lat, with the words that appear beside the pointer."""

    polygon: BaseGeometry
    words: str
    colour: str = ASH
    weight: float = 1.2


@dataclass(frozen=True)
class View:
    """All that a map shows.

    Attributes:
        page: each page remembers its own focus.
        key: stable for a page; with the bounds it decides when the map is made anew.
        bounds_lonlat: what is in sight at first, where a person has not looked at something else yet.
        boxes: bounds of all that can be seen; empty: `bounds_lonlat`.
        focus: what the person asked to see; another one than before is brought into sight.
        overlay_percent: opacity of the overlay at first.
        lenses: patches that the browser draws itself; `lens.picked` tells what a person chose on them.
        together: maps of this name look at the same ground and share their pointer; empty: the map is alone.
        keeps_foot: room for the scenes side by side is kept also while their imagery is not shown, so that the map need
            not be made anew when it is.
        swipe: what the slider is called that parts the lenses of the panes `left` and `right`; empty: there is none.
        is_in_dialog: the map is small and stands alone: no panel lies over it, and no list of layers.
    """

    page: str
    key: str
    bounds_lonlat: Bounds
    boxes: tuple[Bounds, ...] = ()
    focus: str = ""
    shown: tuple[Shown, ...] = ()
    outlines: tuple[Outline, ...] = ()
    can_draw: bool = False
    overlay_percent: int = 85
    lenses: tuple[lens.ShownLens, ...] = ()
    together: str = ""
    keeps_foot: bool = False
    swipe: str = ""
    is_in_dialog: bool = False


def draw(view: View) -> list[dict[str, Any]]:
    """Show the map; changed layers are swapped without a flicker of the rest.

    Returns:
        GeoJSON features of what is drawn on it now, the newest last.
    """
    from streamlit_folium import st_folium  # registers a component, so only once the server runs

    _tell_cdn_once()
    vendor.use_own_copies()
    answer = st_folium(
        _base(view),
        key=view.key,
        height=_HEIGHT_PX,
        use_container_width=True,
        returned_objects=[
            *(["all_drawings"] if view.can_draw else []),
            *(["last_active_drawing"] if view.lenses else []),
        ],
        feature_group_to_add=[
            _tile_group(view.shown),
            _outline_group(view.outlines),
            lens.group(view.lenses),
        ],
    )
    return list((answer or {}).get("all_drawings") or [])


def _base(view: View) -> Any:
    import folium.plugins
    import leafmap.foliumap as leafmap

    vendor.use_own_copies()
    west, south, east, north = view.bounds_lonlat
    made = leafmap.Map(
        center=[(south + north) / 2, (west + east) / 2], zoom=8, tiles=None, max_zoom=17, min_zoom=2,
        fullscreen_control=False, layers_control=False, zoom_snap=0.5, scale_control=False,
    )  # fmt: skip
    made.add_child(map_controls.backdrop(theme()))
    if not view.is_in_dialog:
        made.add_child(map_controls.layer_list(view.overlay_percent))
        made.add_child(map_controls.base_maps_choice())
        folium.plugins.Fullscreen(position="topright").add_to(made)
    made.add_child(map_controls.pointer())
    made.add_child(map_controls.gallery())
    if view.can_draw:
        _drawing().add_to(made)
    if any(layer.cut for layer in view.shown):
        made.add_child(threshold_layer.ThresholdScript())
    has_gallery = view.keeps_foot or any(layer.gallery for layer in view.shown)
    made.add_child(
        map_controls.view(
            view.page,
            view.focus,
            view.bounds_lonlat,
            view.boxes,
            has_gallery,
            has_panel=not (view.together or view.is_in_dialog),
        )
    )
    if view.together:
        made.add_child(map_controls.together(view.together))
    if view.swipe:
        made.add_child(map_controls.swipe(view.swipe))
    return made


def _drawing() -> Any:
    import folium.plugins

    shape = {"shapeOptions": {"color": EMBER, "weight": 2, "fillOpacity": 0.06}}
    off = dict.fromkeys(("polyline", "circle", "marker", "circlemarker"), False)
    polygon = {**shape, "allowIntersection": False, "showArea": False}
    return folium.plugins.Draw(
        export=False,
        position="topright",
        draw_options={**off, "rectangle": {**shape, "showArea": False}, "polygon": polygon},
    )


def _tile_group(shown: Sequence[Shown]) -> Any:
    import folium

    group = folium.FeatureGroup(name="tiles")
    for layer in shown:
        west, south, east, north = layer.bounds_lonlat
        url = f"{serving.FROM_MAP}tiles/{layer.token}/{{z}}/{{x}}/{{y}}.png"
        if layer.cut is not None:
            options = {"attribution": html.escape(layer.credit), "maxZoom": 17, "noWrap": True, "pane": layer.pane,
                       "bounds": [[south, west], [north, east]], "title": layer.title, "reads": layer.reads,
                       "legend": layer.legend.for_map()}  # fmt: skip
            threshold_layer.ThresholdTiles(url, layer.cut, options).add_to(group)
            continue
        folium.TileLayer(
            tiles=url, attr=html.escape(layer.credit),
            overlay=True, max_zoom=17, no_wrap=True, pane=layer.pane, bounds=[[south, west], [north, east]],
            title=layer.title, reads=layer.reads, legend=layer.legend.for_map(),
            gallery=f"{serving.FROM_MAP}maps/galleries/{layer.gallery}.json" if layer.gallery else None,
        ).add_to(group)  # fmt: skip
    return group


def _outline_group(outlines: Sequence[Outline]) -> Any:
    import folium

    group = folium.FeatureGroup(name="outlines")
    lines = [
        {"rings": _rings(part), "colour": outline.colour, "weight": outline.weight, "words": outline.words}
        for outline in outlines
        for part in getattr(outline.polygon, "geoms", [outline.polygon])
    ]
    if lines:
        map_controls.outlines(lines).add_to(group)
    return group


def _rings(polygon: Polygon) -> list[list[tuple[float, float]]]:
    """Outer and inner rings as (latitude, longitude)."""
    west, south, east, north = polygon.bounds
    plain = polygon.simplify(
        min(2e-4, 0.01 * max(east - west, north - south))
    )  # a small one keeps its corners
    return [[(y, x) for x, y in ring.coords] for ring in (plain.exterior, *plain.interiors)]


def _tell_cdn_once() -> None:
    if serving.has_vendor() or st.session_state.get("told_cdn"):
        return
    st.session_state["told_cdn"] = True
    st.info(
        "Map libraries are not installed here, so the maps load them from a public network. "
        "`npm --prefix assets ci` and `python assets/vendor.py` bring them home.",
        icon=":material/cloud_download:",
    )
