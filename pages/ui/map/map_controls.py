"""What our maps add to Leaflet: panes, theme, the outline of the land, and the opacity of the overlay."""

from __future__ import annotations

from branca.element import MacroElement
from jinja2 import Template

# Panes from below; Leaflet's own are tilePane 200 and overlayPane 400 (outlines and drawings).
PANES = {"land": 150, "imagery": 250, "overlay": 350}
# Land is drawn at 1:110 m: nearer than this zoom its coast is a caricature, and the imagery takes over.
_LAND_TO_ZOOM = 8

_COLOURS = {
    "light": {"water": "#e8eef0", "land": "#f6f4ef", "shore": "#d5cec2", "bar": "#fcfbf9", "text": "#26221e",
              "line": "#d5cec2", "invert": "0"},
    "dark": {"water": "#10161a", "land": "#211e1a", "shore": "#3a342d", "bar": "#24211d", "text": "#ece7e0",
             "line": "#3b362f", "invert": "0.88"},
}  # fmt: skip


class Backdrop(MacroElement):
    """Panes in their order, colours of the theme, and the land below everything."""

    _template = Template("""
{% macro script(this, kwargs) %}
(function () {
  var map = {{ this._parent.get_name() }};
  {% for name, z in this.panes.items() %}
  map.createPane('{{ name }}').style.zIndex = {{ z }};
  {% endfor %}
  map.getPane('land').style.pointerEvents = 'none';
  map.attributionControl.setPrefix('Leaflet');
  L.control.scale({ imperial: false }).addTo(map);
  var style = document.createElement('style');
  style.textContent = `
    html, body { margin: 0; background: {{ this.c.water }}; color-scheme: {{ this.theme }}; }
    .leaflet-container { background: {{ this.c.water }}; font-family: 'Source Sans 3', 'Source Sans Pro', system-ui, sans-serif; }
    .leaflet-bar { border: 1px solid {{ this.c.line }} !important; box-shadow: none !important; border-radius: 8px; overflow: hidden; }
    .leaflet-bar a, .ember-box { background-color: {{ this.c.bar }} !important; color: {{ this.c.text }} !important; border-color: {{ this.c.line }} !important; }
    .leaflet-draw-toolbar a, a.leaflet-control-zoom-fullscreen { background-color: #f9f9f9 !important; filter: invert({{ this.c.invert }}); }
    .leaflet-draw-toolbar { border-radius: 8px; margin-top: 0 !important; }
    .leaflet-draw-actions a { background: #b8431a !important; color: #fff !important; }
    .leaflet-control-attribution, .leaflet-control-scale-line, .leaflet-control-mouseposition {
      background: {{ this.c.bar }}d9 !important; color: {{ this.c.text }} !important; text-shadow: none !important; }
    .leaflet-control-attribution { max-width: 78vw; border-radius: 6px 0 0 0; padding: 1px 7px; font-size: 10.5px; line-height: 1.45; }
    .leaflet-control-attribution a { color: inherit !important; }
    .leaflet-control-scale-line { font-size: 11px !important; line-height: 1.2; border-color: {{ this.c.text }}99 !important; }
    .leaflet-control-mouseposition { padding: 0 7px; border-radius: 6px; font-size: 11px; font-variant-numeric: tabular-nums; }
    .leaflet-control-mouseposition:empty { display: none; }
    .leaflet-container img.leaflet-tile { mix-blend-mode: normal; width: 256.5px !important; height: 256.5px !important; }
    .leaflet-tooltip { background: {{ this.c.bar }}; color: {{ this.c.text }}; border: 1px solid {{ this.c.line }}; box-shadow: none; border-radius: 6px; }
    .leaflet-tooltip::before { display: none; }
    .ember-box { border: 1px solid; border-radius: 8px; padding: 5px 10px 6px; font-size: 12px; display: grid; gap: 2px; }
    .ember-box input { width: 118px; margin: 0; accent-color: #c9501f; }
    @media (max-width: 460px) { .leaflet-control-mouseposition { display: none; } .ember-box input { width: 84px; } }
    a:focus-visible, input:focus-visible, .leaflet-container:focus-visible { outline: 2px solid #c9501f; outline-offset: 1px; }`;
  document.head.appendChild(style);
  var show = function () { map.getPane('land').style.display = map.getZoom() > {{ this.land_to_zoom }} ? 'none' : ''; };
  map.on('zoomend', show); show();
  fetch('{{ this.land_url }}').then(function (r) { return r.json(); }).then(function (land) {
    L.geoJSON(land, { pane: 'land', interactive: false, attribution: 'Land: Natural Earth 1:110 m',
      style: { color: '{{ this.c.shore }}', weight: 1, fillColor: '{{ this.c.land }}', fillOpacity: 1 } }).addTo(map);
  });
})();
{% endmacro %}""")

    def __init__(self, theme: str, land_url: str) -> None:
        """Args:
        theme: "light" or "dark".
        land_url: address of the world's GeoJSON, as seen from the map's frame.
        """
        super().__init__()
        self.theme = theme
        self.c = _COLOURS[theme]
        self.panes = PANES
        self.land_url = land_url
        self.land_to_zoom = _LAND_TO_ZOOM


class OverlayOpacity(MacroElement):
    """A slider on the map: the overlay fades at once, and the server is not asked."""

    _template = Template("""
{% macro script(this, kwargs) %}
(function () {
  var map = {{ this._parent.get_name() }};
  var control = L.control({ position: 'topright' });
  control.onAdd = function () {
    var box = L.DomUtil.create('label', 'ember-box leaflet-control');
    box.innerHTML = '<span>{{ this.label }} <output></output></span>' +
      '<input type="range" min="0" max="100" step="1" aria-label="{{ this.label }}">';
    var input = box.querySelector('input'), told = box.querySelector('output');
    input.value = {{ this.percent }};
    var fade = function () { map.getPane('overlay').style.opacity = input.value / 100; told.textContent = input.value + ' %'; };
    input.addEventListener('input', fade); fade();
    L.DomEvent.disableClickPropagation(box); L.DomEvent.disableScrollPropagation(box);
    return box;
  };
  control.addTo(map);
})();
{% endmacro %}""")

    def __init__(self, label: str, percent: int) -> None:
        """Args:
        label: our own words, never a visitor's.
        percent: opacity at the start, 0 to 100.
        """
        super().__init__()
        self.label = label
        self.percent = percent
