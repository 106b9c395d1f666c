"""Make the pictures of the first page: `python assets/make_example.py RUN`, a finished training on the simulated season.

They show the test scene of the largest scar: as a false-colour picture, its embeddings as colours, and the decoder's map.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.vrt import WarpedVRT

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.imagery.scene import Scene  # noqa: E402
from engine.jobs.configuration.config import ExtractConfig  # noqa: E402
from engine.learning.keeping.result import TrainRun  # noqa: E402
from engine.store.store import EmbeddingStore  # noqa: E402
from engine.views.layer_view import view_of  # noqa: E402
from engine.views.maps.overlay import pca_overlay  # noqa: E402
from engine.workspace import runs_root  # noqa: E402

OUT = ROOT / "assets" / "example"
SIDE_PX = 420
BANDS = ("swir_2", "nir_narrow", "red")
EDGE_PX = 8  # the outermost patches have no mean of their surroundings
BURNT, MAP_OPACITY = 1, 0.85
GAMMA = 1.5  # as the app's maps: without it scars drown in black


def main(folder: Path) -> None:
    """Write scene.png, embeddings.png and map.png."""
    run = TrainRun.open(folder)
    store = EmbeddingStore.open(run.store_folder)
    scene = largest_scar(run, store)
    picture = false_colour(scene)
    with tempfile.TemporaryDirectory() as temporary:
        colours = Path(temporary) / "pca.tif"
        pca_overlay(view_of(store), colours)
        embeddings = np.moveaxis(on_scene(colours, scene, [1, 2, 3]), 0, -1)
    burnt = on_scene(run.predictions, scene, [1])[0] == BURNT
    ember = np.array(run.task.prediction_style.colours[BURNT][:3])
    mapped = np.where(burnt[..., None], MAP_OPACITY * ember + (1 - MAP_OPACITY) * picture, picture)
    OUT.mkdir(exist_ok=True)
    for name, pixels in (("scene", picture), ("embeddings", embeddings), ("map", mapped)):
        inner = np.asarray(pixels, np.uint8)[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX]
        image = Image.fromarray(inner).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        image.quantize(128).save(OUT / f"{name}.png", optimize=True)


def largest_scar(run: TrainRun, store: EmbeddingStore) -> Scene:
    """The test scene with the most burnt pixels among those without a gap."""
    scenes = {
        scene.id: scene for scene in ExtractConfig.model_validate(store.meta.config).scene.find(runs_root())
    }
    test = set(run.decoder.split["test"])
    ids = {name for tile in store.tiles if tile.id in test for name in tile.scene_ids}
    return max((scenes[name] for name in ids), key=burnt_pixels)


def burnt_pixels(scene: Scene) -> int:
    """Burnt pixels of the mask; none where the scene has gaps, which make a poor picture."""
    assert scene.mask_path is not None
    with rasterio.open(scene.mask_path) as dataset:
        mask = dataset.read(1)
    return int((mask == BURNT).sum()) if (mask >= 0).mean() > 0.99 else 0


def false_colour(scene: Scene) -> np.ndarray:
    """SWIR 2, near infrared and red, each stretched between its 0.5th and 98.5th percentile: (H, W, 3), 0 to 255."""
    bands = []
    for name in BANDS:
        asset = scene.assets[name]
        with rasterio.open(asset.path) as dataset:
            values = dataset.read(asset.index).astype(np.float64)
        low, high = np.percentile(values, [0.5, 98.5])
        bands.append(255 * np.clip((values - low) / (high - low), 0, 1) ** (1 / GAMMA))
    return np.stack(bands, axis=-1)


def on_scene(path: Path, scene: Scene, indexes: list[int]) -> np.ndarray:
    """Bands of a raster on the pixels of a scene, (C, H, W)."""
    with (
        rasterio.open(path) as dataset,
        WarpedVRT(
            dataset, crs=scene.crs, transform=scene.transform, height=scene.height, width=scene.width
        ) as warped,
    ):
        return np.asarray(warped.read(indexes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
