"""Copy what the maps load in the browser out of assets/node_modules into assets/static/vendor.

Run by `make app` after `npm ci`. The app serves the result from its own address, so that maps work in
a room without network. The folder is replaced as a whole, and only when every file is there.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
MODULES = ASSETS / "node_modules"
VENDOR = ASSETS / "static" / "vendor"

# (file or folder below node_modules, its place below static/vendor). Style sheets name their images by
# relative paths, so an image folder stays beside its style sheet.
COPIES = (
    ("leaflet/dist/leaflet.js", "leaflet.js"),
    ("leaflet/dist/leaflet.css", "leaflet.css"),
    ("leaflet/dist/images", "images"),
    ("jquery/dist/jquery.min.js", "jquery.min.js"),
    ("leaflet-draw/dist/leaflet.draw.js", "draw/leaflet.draw.js"),
    ("leaflet-draw/dist/leaflet.draw.css", "draw/leaflet.draw.css"),
    ("leaflet-draw/dist/images", "draw/images"),
    ("leaflet.fullscreen/Control.FullScreen.js", "fs/Control.FullScreen.js"),
    ("leaflet.fullscreen/Control.FullScreen.css", "fs/Control.FullScreen.css"),
    ("leaflet.fullscreen/icon-fullscreen.svg", "fs/icon-fullscreen.svg"),
    ("leaflet.sync/L.Map.Sync.js", "L.Map.Sync.js"),
    ("world-atlas/land-10m.json", "land-10m.json"),
    # The licences travel with the code; leaflet-draw ships its own only as a field of package.json.
    ("leaflet/LICENSE", "licences/leaflet.txt"),
    ("jquery/LICENSE.txt", "licences/jquery.txt"),
    ("leaflet-draw/package.json", "licences/leaflet-draw.json"),
    ("leaflet.fullscreen/LICENSE", "licences/leaflet.fullscreen.txt"),
    ("leaflet.sync/LICENSE", "licences/leaflet.sync.txt"),
    ("world-atlas/LICENSE", "licences/world-atlas.txt"),
)


def vendor(modules: Path, target: Path) -> None:
    """Replace `target` by the files that the maps need.

    Raises:
        FileNotFoundError: a file of COPIES is not below `modules`; `target` is left as it was.
    """
    making = target.with_name(target.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    for source, place in COPIES:
        found, copy = modules / source, making / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, copy)
        else:
            shutil.copyfile(found, copy)
    shutil.rmtree(target, ignore_errors=True)
    making.rename(target)


if __name__ == "__main__":
    try:
        vendor(MODULES, VENDOR)
    except FileNotFoundError as err:
        sys.exit(f"The maps need {err.filename}; it is not there. Run: npm --prefix assets ci")
