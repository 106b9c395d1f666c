"""Base maps from the web, by leafmap's names: offered in the map's list of layers, fetched by the browser when chosen."""

from __future__ import annotations

import functools

# Free to use without a key; the publishers' words stand in the corner of the map.
NAMES = ("OpenStreetMap.Mapnik", "OpenTopoMap", "SATELLITE", "TERRAIN", "USGS.USImagery")


@functools.cache
def offered() -> tuple[dict[str, object], ...]:
    """Name, address, credit and nearest zoom of each, as the map's script reads them."""
    import leafmap.foliumap as leafmap

    known = dict(leafmap.basemaps.items())
    return tuple(
        {
            "name": name,
            "url": known[name].tiles,
            "attribution": known[name].options["attribution"],
            "maxZoom": known[name].options["max_native_zoom"],
        }
        for name in NAMES
        if name in known
    )
