"""An example of the file that a command reads, shown by its `--help`: one that is right as it stands but for its paths."""

from __future__ import annotations

from collections.abc import Mapping

_SCENE_OF_A_CATALOGUE = """\
scene:
  source: stac
  catalogue: earth-search            # one of `python -m engine search --list`
  collection: sentinel-2-l2a
  bounds_lonlat: [-121.6, 39.7, -121.3, 39.9]   # west, south, east, north
  dates: [2021-06-01, 2021-09-30]    # the first and the last day, both counted
  choose: pair                       # the best day before and the best after the fire
  fire_date: 2021-07-13
"""

CONFIGS: Mapping[str, str] = {
    "extract": """\
kind: extract
scene: {source: file, path: scenes/mine.tif}     # or files, chips, stack, netcdf, zarr, stac, simulated ...
region: {bounds_lonlat: [-75.7, 37.5, -75.6, 37.6]}   # null: all
backbone: {name: csmask_b4_l2a}                  # one of `python -m engine backbones`
tiles: {overlap_px: 64}
""",
    "train": """\
kind: train
store: runs/RUN/store             # or an extract configuration, which is made first
labels: {source: scene}           # masks beside the chips; or {source: raster, path: burnt.tif}
head: {name: mlp, hidden: [128, 64]}
epochs: 30
""",
    "apply": """\
kind: apply
decoder: runs/RUN                 # a finished training
ground:
  - runs/OTHER/store              # embeddings that are there
  - kind: extract                 # or scenes, embedded first as the decoder's training data were
    scene: {source: file, path: scenes/mine.tif}
    backbone: {name: csmask_b4_l2a}
    tiles: {gsd_m: 30}            # the decoder's, where the scene's pixels are others
titles: [The other run, My fire]  # on the maps; left out: after the files
""",
    "leaderboard": """\
kind: leaderboard
stores: [runs/ONE/store, runs/OTHER/store]
heads: [{name: linear}, {name: mlp}]
seeds: [0, 1]
""",
    "dataset": """\
kind: dataset
perimeters: {file: perimeters.gpkg, date: ignition_date}   # polygons with the day that each fire began
imagery: {source: stac, catalogue: earth-search, collection: sentinel-2-l2a}
""",
    "search": _SCENE_OF_A_CATALOGUE,
    "offline": _SCENE_OF_A_CATALOGUE,
    "cut": """\
scene: {source: file, path: scenes/mine.tif}
""",
}

LABELS = """\
{"type": "FeatureCollection",
 "classes": [{"name": "not burnt", "colour": "#4c78a8"}, {"name": "burnt", "colour": "#d55e00"}],
 "features": [
  {"type": "Feature", "properties": {"class": "burnt"},
   "geometry": {"type": "Point", "coordinates": [-75.65, 37.55]}},
  {"type": "Feature", "properties": {"class": "not burnt"},
   "geometry": {"type": "Polygon", "coordinates":
    [[[-75.62, 37.52], [-75.61, 37.52], [-75.61, 37.53], [-75.62, 37.52]]]}}]}
"""


def example_of(command: str) -> str | None:
    """What the help of a command ends with; None where it reads no file that wants an example."""
    if command == "label":
        return f"LABELS, for example (longitude and latitude; `classes` may be left out):\n\n{LABELS}"
    if command not in CONFIGS:
        return None
    name = "SCENE_YAML" if command == "cut" else "CONFIG"
    return f"{name}, for example:\n\n{CONFIGS[command]}\nEach page shows the configuration of its runs under “The same without the browser”."
