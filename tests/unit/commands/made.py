"""What commands of the table are called on besides the workplace: made for a call, in its own folder."""

from __future__ import annotations

import json
import shutil
import time
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
import yaml
from pyproj import Transformer
from shapely.geometry import Point, box, mapping

from engine.__main__ import main
from engine.imagery.catalogues.manifest import AssetRecord, GridRecord, Manifest, SceneRecord, write_manifest
from engine.jobs.configuration.config import UmapConfig, load_config
from engine.jobs.event_log import append_event
from engine.jobs.events import Failed, Queued
from engine.jobs.job import submit
from engine.jobs.keeping.zip_stream import zip_blocks
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import dated
from engine.views.comparing.shared_ground import shared_ground
from engine.views.layer_view import view_of
from engine.views.umap_layout import UmapLayout, keep_layout
from tests.unit.commands.conftest import GRID, Workplace
from tests.unit.cubes.made import write_cube


def stopped(place: Workplace, folder: Path) -> list[str]:
    """A run folder whose job failed."""
    (folder / "stopped").mkdir()
    shutil.copy(place.extract, folder / "stopped" / "config.yaml")
    append_event(folder / "stopped", Failed("it broke"))
    return [str(folder / "stopped")]


def series(folder: Path) -> str:
    """A configuration whose scene is a cube of three dates."""
    tree = {"scene": {"source": "zarr", "path": str(write_cube(folder / "cube.zarr"))}}
    (folder / "series.yaml").write_text(yaml.safe_dump(tree))
    return str(folder / "series.yaml")


def published(folder: Path) -> str:
    """A GeoTIFF of embeddings that others made."""
    drawn = np.random.default_rng(0).normal(size=(16, 20, 20)).astype(np.float32)
    with rasterio.open(
        folder / "published_2023.tif", "w", driver="GTiff", height=20, width=20, count=16, dtype="float32", crs="EPSG:32618",
        transform=GRID,
    ) as file:  # fmt: skip
        file.write(drawn)
    return str(folder / "published_2023.tif")


def waiting(place: Workplace, folder: Path) -> list[str]:
    """The run folder of a job that waits for its device."""
    del folder
    job = submit(load_config(place.extract), place.home)
    while not any(isinstance(event, Queued) for _, event in job.events()):
        assert job.state == "queued", job.log_tail()
        time.sleep(0.1)
    return [str(job.folder)]


def application(place: Workplace, folder: Path) -> Path:
    """The configuration of a job that maps the store with the decoder."""
    path = folder / "apply.yaml"
    path.write_text(f"kind: apply\ndecoder: {place.trained}\nground: [{place.run}/store]\ndevice: cpu\n")
    return path


def board(place: Workplace, folder: Path) -> Path:
    """The configuration of a leaderboard of one store, with two heads that are fitted at once."""
    path = folder / "board.yaml"
    labels = f"{{source: raster, path: {place.folder}/labels.tif}}"
    path.write_text(
        f"kind: leaderboard\nstores: [{place.run}/store]\nheads: [knn, {{name: knn, neighbours: 3}}]\nseeds: [0]\ndevice: cpu\n"
        f"training: {{labels: {labels}, split: {{by: place}}}}\n"
    )
    return path


def beside(place: Workplace, folder: Path) -> list[str]:
    """Arguments that set one extraction beside another, with a head that is fitted at once."""
    settings = ("heads=[knn]", "seeds=[0]", "device=cpu", "training.baselines=[]")
    given = [part for one in settings for part in ("--set", one)]
    return [str(place.other), str(place.run), "--labels", str(place.folder / "labels.tif"), "--out", str(folder / "run"), *given]  # fmt: skip


def mapped(place: Workplace, folder: Path) -> str:
    """The folder of a map."""
    assert main(["apply", str(application(place, folder)), "--out", str(folder / "applied")]) == 0
    return str(folder / "applied" / "maps" / "0")


def labelled(folder: Path) -> Path:
    """A burnt and an unburnt patch of the store, as GeoJSON."""
    to_lonlat = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True)
    features = [
        {"type": "Feature", "properties": {"class": name}, "geometry": mapping(Point(to_lonlat.transform(*(GRID @ (column, 2)))))}
        for name, column in (("burnt", 2), ("not burnt", 26))
    ]  # fmt: skip
    path = folder / "labels.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def kept(place: Workplace, folder: Path) -> Path:
    """A configuration of a catalogue's scene that was kept before, so that no network is needed."""
    there = folder / "kept"
    there.mkdir()
    shutil.copy(place.folder / "scene.tif", there / "red.tif")
    with rasterio.open(there / "red.tif") as dataset:
        grid = GridRecord(shape=dataset.shape, transform=tuple(dataset.transform)[:6], crs="EPSG:32618")
    red = AssetRecord(file="red.tif", index=1, crs="EPSG:32618", sensor="hls_s30")
    record = SceneRecord(
        id="kept", title="Kept", sensor="hls_s30", datetime=None, day=date(2023, 7, 1), grid=grid, assets={"red": red},
        mask=None, cloud_pct=None, source="", licence="", notes=(),
    )  # fmt: skip
    write_manifest(there, Manifest(scenes=(record,)))
    scene = {"source": "stac", "catalogue": "earth-search", "collection": "sentinel-2-l2a", "bounds_lonlat": [-76.2, 37, -76.1, 37.1],
             "dates": ["2023-07-01", "2023-07-02"], "folder": str(there)}  # fmt: skip
    path = folder / "kept.yaml"
    path.write_text(yaml.safe_dump({"scene": scene}))
    return path


def perimeters(place: Workplace, folder: Path) -> Path:
    """The configuration of a data set of a fire on the place's scene, which states no date by itself."""
    with rasterio.open(place.folder / "scene.tif") as dataset:
        bounds = dataset.bounds
    to_lonlat = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True)
    west, south = to_lonlat.transform(bounds.left + 200, bounds.bottom + 200)
    east, north = to_lonlat.transform(bounds.right - 200, bounds.top - 200)
    fire = {
        "type": "Feature",
        "properties": {"Ig_Date": "2021-07-13"},
        "geometry": mapping(box(west, south, east, north)),
    }
    (folder / "fires.geojson").write_text(json.dumps(fire))
    path = folder / "dataset.yaml"
    path.write_text(
        f"kind: dataset\nperimeters: {{file: {folder}/fires.geojson}}\nburning_days: 1\nchips: {{size_px: 32}}\n"
        f"imagery: {{source: file, path: {place.folder}/scene.tif, datetime: 2021-07-20}}\n"
    )
    return path


def zipped(place: Workplace, folder: Path) -> Path:
    """The zip of a run, as the page gives it."""
    path = folder / "run.zip"
    with path.open("wb") as file:
        file.writelines(zip_blocks(place.run))
    return path


def laid_out(place: Workplace) -> list[str]:
    """A store that has a UMAP with these settings, for laying one out takes long (tests/unit/views/test_umap.py)."""
    asked = UmapConfig(patches=20, neighbours=4)
    view = dated(view_of(EmbeddingStore.open(place.run)))
    ground = shared_ground((view,), 20)
    points = np.zeros((ground.count, 2), np.float32)
    keep_layout(view, asked, UmapLayout(points, ground.tiles, ground.rows))
    return [str(place.run), "--patches", "20", "--neighbours", "4"]
