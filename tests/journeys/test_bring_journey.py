"""A tile of AlphaEarth is dropped into the dialog, looked at, and opened on the map with its attribution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from playwright.sync_api import expect
from scipy.ndimage import gaussian_filter

from engine.jobs.job import list_jobs
from engine.store.store import EmbeddingStore
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor
from tests.unit.store.products.made import ALPHAEARTH_BANDS, in_8_bits, write_tiff

pytestmark = pytest.mark.timeout(600)

_SIDE_PX = 96
# In UTM zone 18, on the coast of the sample scene: the south-west corner of a file whose rows run from the south.
_PLACE = Affine(10, 0, 443_000, 0, 10, 4_167_000)


def alphaearth_of_the_coast(path: Path) -> Path:
    """Smooth ground in exactly the form of the public copy."""
    drawn = np.random.default_rng(0)
    ground = np.stack([gaussian_filter(drawn.normal(size=(_SIDE_PX, _SIDE_PX)), 8) for _ in range(64)], -1)
    ground /= np.linalg.norm(ground, axis=-1, keepdims=True)
    numbers = in_8_bits(ground)
    return write_tiff(
        path, numbers, ALPHAEARTH_BANDS, nodata=-128, south_up=True, transform=_PLACE, compress="zstd", tiled=True, blockxsize=64,
        blockysize=64,
    )  # fmt: skip


def test_a_tile_of_alphaearth_is_looked_at_and_stands_on_the_map_with_its_attribution(
    visitor: Visitor, app: App, coast: str, tmp_path: Path
) -> None:
    path = alphaearth_of_the_coast(tmp_path / "alphaearth_2023.tiff")
    visitor.open(f"embeddings?job={coast}")
    visitor.sees_page("Embeddings")
    visitor.sees_lens()
    visitor.press("bring")
    dialog = visitor.page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(path, timeout=PATIENCE_MS)
    for words in ("What was understood", "alphaearth_v1", "x = sign(v) (v / 127.5)^2", "CC-BY-4.0", "2023"):
        expect(dialog.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)
    expect(dialog.get_by_role("img").first).to_be_visible(timeout=PATIENCE_MS)
    visitor.take_screenshot("bring")
    visitor.press("bring_open")
    visitor.waits_until(lambda: coast not in visitor.page.url and "job=" in visitor.page.url, "another store")
    visitor.sees_page("Embeddings")
    visitor.sees_lens()
    expect(visitor.map.get_by_text("Google DeepMind").first).to_be_visible(timeout=PATIENCE_MS)
    made = [job for job in list_jobs(app.home) if "alphaearth" in job.id]
    assert len(made) == 1 and EmbeddingStore.open(made[0].folder).rows == _SIDE_PX**2
    made[0].delete()
