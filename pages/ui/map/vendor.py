"""Map libraries from our own address: every folium class that names a CDN is pointed at the vendored copy."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from pages.ui.map.routes import serving

# folium's name of an asset -> file below assets/static/vendor (see assets/vendor.py).
_FILES = {
    "leaflet": "leaflet.js",
    "leaflet_css": "leaflet.css",
    "jquery": "jquery.min.js",
    "leaflet_draw_js": "draw/leaflet.draw.js",
    "leaflet_draw_css": "draw/leaflet.draw.css",
    "Control.Fullscreen.js": "fs/Control.FullScreen.js",
    "Control.FullScreen.css": "fs/Control.FullScreen.css",
    "Leaflet.Sync": "L.Map.Sync.js",
}
# Only markers with icons and Bootstrap pop-ups need these, and no map here has one.
_NOT_NEEDED = {
    "bootstrap", "awesome_markers", "bootstrap_css", "glyphicons_css", "awesome_markers_font_css",
    "awesome_markers_css", "awesome_rotate_css",
}  # fmt: skip


@functools.cache
def use_own_copies() -> tuple[str, ...]:
    """Point folium at the vendored files, once a process.

    Returns:
        Assets that our maps do not use and that still name a CDN. Without the vendored files nothing is
        changed (see `serving.has_vendor`, and the notice in `maps`).
    """
    if not serving.has_vendor():
        return ()
    import folium.folium
    import folium.plugins  # noqa: F401 - its classes must exist before they are changed
    from folium.elements import JSCSSMixin

    return tuple(left for cls in _subclasses(JSCSSMixin) for left in _repoint(cls))


def _repoint(cls: Any) -> list[str]:
    left = []
    for attribute in ("default_js", "default_css"):
        named = cls.__dict__.get(attribute)
        if named is None:
            continue
        kept = [(name, url) for name, url in named if name not in _NOT_NEEDED]
        setattr(cls, attribute, [(name, _own(name) or url) for name, url in kept])
        left += [f"{cls.__name__}:{name}" for name, url in kept if not _own(name) and url.startswith("http")]
    return left


def _own(name: str) -> str | None:
    return f"{serving.FROM_MAP}vendor/{_FILES[name]}" if name in _FILES else None


def _subclasses(cls: Any) -> Iterator[Any]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
