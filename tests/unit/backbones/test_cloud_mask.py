"""Clouds and shadows by the published model, against the published program."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backbones.cloud_mask import CLOUD, SHADOW, classes, cloud_and_shadow
from engine.backbones.core.batch import Batch
from engine.errors import SceneError


@pytest.fixture(scope="module")
def clouded(virginia: Batch) -> np.ndarray:
    """The real scene with a soft bright cloud painted over its middle, (6, 256, 256)."""
    image = virginia.image[0, 0].numpy().copy()
    rows, columns = np.mgrid[:256, :256]
    opacity = np.exp(-((((rows - 128) ** 2 + (columns - 128) ** 2) / 45**2) ** 2)).astype(np.float32)
    cloud = np.array([0.75, 0.74, 0.74, 0.76, 0.55, 0.42], np.float32).reshape(6, 1, 1)
    return image * (1 - opacity) + cloud * opacity


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[1:], bool)


def test_a_clear_scene_is_clear_and_a_painted_cloud_is_found(virginia: Batch, clouded: np.ndarray) -> None:
    clear = virginia.image[0, 0].numpy()
    assert cloud_and_shadow(clear, everywhere(clear), "l1c").mean() < 0.02
    mask = cloud_and_shadow(clouded, everywhere(clouded), "l1c")
    assert mask[110:146, 110:146].mean() > 0.95
    assert mask[:30].mean() < 0.1


@pytest.mark.parametrize("level", ["l1c", "l2a"])
def test_a_window_gets_the_classes_of_the_published_program(clouded: np.ndarray, level: str) -> None:
    from ukis_csmask.mask import CSmask

    order = ["blue", "green", "red", "nir", "swir16", "swir22"]
    program = CSmask(np.moveaxis(clouded, 0, -1).copy(), order, level, providers=["CPUExecutionProvider"])
    window = np.moveaxis(program.img, -1, 0)[None]  # as the program standardised it
    theirs = program.session.run(None, {program.input_names: window})[0][0].argmax(axis=0)
    ours = classes(clouded, everywhere(clouded), level)  # type: ignore[arg-type]
    assert (ours == theirs).mean() > 0.999


def test_an_image_larger_than_a_window_is_covered_without_seams(virginia: Batch, clouded: np.ndarray) -> None:
    large = np.concatenate([virginia.image[0, 0].numpy(), clouded], axis=2)[:, :, 20:]  # (6, 256, 492)
    mask = cloud_and_shadow(large, everywhere(large), "l1c")
    middle = 256 + 128 - 20
    assert mask.shape == (256, 492) and mask[110:146, middle - 18 : middle + 18].mean() > 0.95
    assert mask[:, :150].mean() < 0.1


def test_the_buffer_grows_the_mask_and_gaps_stay_out(clouded: np.ndarray) -> None:
    valid = everywhere(clouded)
    valid[120:136, 120:136] = False
    found = classes(clouded, valid, "l1c")
    bare = cloud_and_shadow(clouded, valid, "l1c", buffer_px=0)
    assert np.array_equal(bare, np.isin(found, (CLOUD, SHADOW)) & valid)
    grown = cloud_and_shadow(clouded, valid, "l1c", buffer_px=4)
    assert not grown[~valid].any() and grown.sum() > bare.sum() and (grown | ~bare).all()


def test_any_size_is_masked_at_its_own_size(clouded: np.ndarray) -> None:
    odd = clouded[:, 40:217, 30:231]
    mask = cloud_and_shadow(odd, everywhere(odd), "l1c")
    assert mask.shape == (177, 201) and mask[70:106, 80:116].mean() > 0.9


def test_nan_in_a_gap_does_no_harm(clouded: np.ndarray) -> None:
    image, valid = clouded.copy(), everywhere(clouded)
    valid[:10] = False
    image[:, :10] = np.nan
    assert not cloud_and_shadow(image, valid, "l1c")[:10].any()


def test_too_few_bands_are_refused(clouded: np.ndarray) -> None:
    with pytest.raises(SceneError, match=r"image of a cloud mask is \(4, 256, 256\) .* must be \(6, H, W\)"):
        cloud_and_shadow(clouded[:4], everywhere(clouded), "l1c")
