"""A layer of probabilities that the browser colours: its tiles hold classes and steps, and a threshold cuts them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from branca.element import MacroElement
from folium.elements import JSCSSMixin
from jinja2 import Template

from pages.ui.map.routes import serving, tiles


@dataclass(frozen=True)
class Cut:
    """What the browser needs to colour a map of probabilities.

    Attributes:
        channel: the panel with the threshold and the map know each other by it; of lower-case letters and digits.
        step: of the threshold until the panel tells another one.
        colours: value of a class -> red, green, blue, alpha (0-255).
    """

    channel: str
    step: int
    colours: tuple[tuple[int, tiles.Colour], ...]


class ThresholdScript(JSCSSMixin, MacroElement):
    """Loads assets/map/threshold.js into the frame of the map; to be added to the map itself."""

    _template = Template("{% macro script(this, kwargs) %}Emberscope.listenToThresholds({{ this._parent.get_name() }});{% endmacro %}")  # fmt: skip
    default_js = (("emberscope_threshold", serving.map_file("threshold.js")),)


class ThresholdTiles(MacroElement):
    """The layer; may be added to a feature group that is swapped in place."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = Emberscope.thresholdTiles({{ this.url|tojson }}, {{ this.options|tojson }});"
        "{{ this.get_name() }}.addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, url: str, cut: Cut, options: Mapping[str, object]) -> None:
        super().__init__()
        self._name = "ThresholdTiles"
        self.url = url
        self.options = {**options, "channel": cut.channel, "step": cut.step, "colours": dict(cut.colours)}


def register(path: Path, titles: Mapping[int, str]) -> str:
    """The token of a map of probabilities: red is the class, green and blue the step.

    Args:
        titles: of the classes, for the pointer.

    Raises:
        SceneError: as `tiles.register`.
    """
    picture = (tiles.Band(path, 1), tiles.Band(path, 2), tiles.Band(path, 2))
    meaning = tiles.Meaning("probability", titles=tuple(titles.items()))
    return tiles.register(tiles.Layer((picture,), meaning=meaning))
