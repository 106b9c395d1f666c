"""What our maps add to Leaflet: calls of the functions in assets/map, which the map's frame loads as one script.

folium takes an addition to a map only as an element with a template. The template here is one call; whatever the
call does stands in the script.
"""

from __future__ import annotations

from collections.abc import Sequence

from branca.element import MacroElement
from folium.elements import JSCSSMixin
from jinja2 import Template

from pages.ui.map import base_maps
from pages.ui.map.routes import land, serving

# Panes from below; Leaflet's own are tilePane 200 and overlayPane 400 (outlines and drawings).
PANES = {"land": 150, "imagery": 250, "overlay": 350, "left": 351, "right": 352, "outlines": 380}
# Titles of the panes, from above; layers bring titles of their own.
_TITLES = {"outlines": "Outlines", "overlay": "Map", "imagery": "Imagery", "land": "Land"}
# More boxes make the page heavy; those beyond are simply not looked for.
_MOST_BOXES = 200
# The panel covers so much of the map's left side (assets/page/page.css).
_PANEL_PX = 412
_FOOT_PX = 176  # and the gallery so much of its foot (assets/map/gallery.js)
Bounds = tuple[float, float, float, float]


class _Call(JSCSSMixin, MacroElement):
    """One call `Emberscope.function(map, options)` in the map's script.

    Attributes:
        options: what JSON can say; folium's template escapes it.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "Emberscope.{{ this.function }}({{ this._parent.get_name() }}, {{ this.options|tojson }});"
        "{% endmacro %}"
    )
    default_js = (("emberscope", serving.map_script()),)
    default_css = (
        ("emberscope_css", serving.map_file("emberscope.css")),
        ("lens_css", serving.map_file("lens.css")),
    )

    def __init__(self, function: str, options: dict[str, object]) -> None:
        super().__init__()
        self.function = function
        self.options = options


def backdrop(theme: str) -> MacroElement:
    """Panes in their order, the colours of the theme ("light" or "dark"), and the land below everything."""
    options = {
        "theme": theme,
        "panes": PANES,
        "landUrl": f"{serving.FROM_MAP}maps/world.geojson",
        "coastUrl": f"{serving.FROM_MAP}maps/coast/{{x}}/{{y}}.geojson" if land.has_coast() else "",
    }
    return _Call("backdrop", options)


def pointer() -> MacroElement:
    """Coordinates, and the value and date of each layer, of what lies under the pointer."""
    return _Call("pointer", {"url": f"{serving.FROM_MAP}tiles/values"})


def base_maps_choice() -> MacroElement:
    """The choice of a base map in the land's row of the list of layers."""
    return _Call("baseMaps", {"maps": list(base_maps.offered())})


def gallery() -> MacroElement:
    """The scenes of the layer that brings a gallery, side by side at the foot of the map."""
    return _Call("gallery", {"panelPx": _PANEL_PX})


def outlines(lines: Sequence[dict[str, object]]) -> MacroElement:
    """Lines with the words beside the pointer, as one element: folium compiles a template for each polygon and its words.

    Args:
        lines: `rings` of [latitude, longitude], `colour`, `weight` in pixels, and `words` in plain text.
    """
    return _Call("outlines", {"lines": list(lines)})


def together(channel: str) -> MacroElement:
    """Maps of one channel look at the same ground, and show the pointer of each other."""
    return _Call("together", {"channel": channel})


def swipe(words: str) -> MacroElement:
    """A line that is drawn to and fro: the pane `left` shows on one side of it, `right` on the other."""
    return _Call("swipe", {"left": "left", "right": "right", "words": words})


def view(
    page: str, focus: str, home: Bounds, boxes: Sequence[Bounds], has_gallery: bool, has_panel: bool = True
) -> MacroElement:
    """What is in sight at first: where the person left the last map, else what the page shows.

    Args:
        page: each page remembers its own focus.
        focus: names what the person asked to see; another one than at the last visit opens on `home`.
        home: west, south, east, north in degrees.
        boxes: of all that can be seen on the page; a view that shows none of them is not kept.
        has_gallery: scenes stand side by side at the foot of the map.
        has_panel: the page's panel lies over the left side of the map.
    """
    seen = [_corners(box) for box in boxes[:_MOST_BOXES]] or [_corners(home)]
    options = {"page": page, "focus": focus, "home": _corners(home), "boxes": seen, "panelPx": _PANEL_PX if has_panel else 0,
               "footPx": _FOOT_PX if has_gallery else 0}  # fmt: skip
    return _Call("view", options)


def layer_list(overlay_percent: int) -> MacroElement:
    """A list of what lies on the map, each with its visibility and opacity; the server is not asked.

    Args:
        overlay_percent: opacity of the overlay at the start, 0 to 100.
    """
    percent = {"overlay": overlay_percent}
    rows = [
        {"pane": pane, "title": title, "percent": percent.get(pane, 100), "isFixed": pane == "land"}
        for pane, title in _TITLES.items()
    ]
    return _Call("layerList", {"rows": rows})


def _corners(bounds: Bounds) -> list[list[float]]:
    """As Leaflet wants them: south-west and north-east, each latitude first."""
    west, south, east, north = bounds
    return [[south, west], [north, east]]
