"""What our maps add to Leaflet: calls of the functions in assets/map/emberscope.js, which the map's frame loads.

folium takes an addition to a map only as an element with a template. The template here is one call; whatever the
call does stands in the script.
"""

from __future__ import annotations

from branca.element import MacroElement
from folium.elements import JSCSSMixin
from jinja2 import Template

from pages.ui.map import serving

# Panes from below; Leaflet's own are tilePane 200 and overlayPane 400 (outlines and drawings).
PANES = {"land": 150, "imagery": 250, "overlay": 350}
# Land is drawn at 1:110 m: nearer than this zoom its coast is a caricature, and the imagery takes over.
_LAND_TO_ZOOM = 8
# Names of functions that folium writes into the map's script as they are.
LATITUDE, LONGITUDE = "Emberscope.latitude", "Emberscope.longitude"


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
    default_js = (("emberscope", serving.map_file("emberscope.js")),)
    default_css = (("emberscope_css", serving.map_file("emberscope.css")),)

    def __init__(self, function: str, options: dict[str, object]) -> None:
        super().__init__()
        self.function = function
        self.options = options


def backdrop(theme: str, land_url: str) -> MacroElement:
    """Panes in their order, the colours of the theme ("light" or "dark"), and the land below everything.

    Args:
        land_url: address of the world's GeoJSON, as seen from the map's frame.
    """
    options = {"theme": theme, "panes": PANES, "landUrl": land_url, "landToZoom": _LAND_TO_ZOOM}
    return _Call("backdrop", options)


def overlay_opacity(label: str, percent: int) -> MacroElement:
    """A slider on the map: the overlay fades at once, and the server is not asked.

    Args:
        percent: opacity at the start, 0 to 100.
    """
    return _Call("overlayOpacity", {"label": label, "percent": percent})
