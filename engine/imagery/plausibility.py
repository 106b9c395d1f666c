"""A sample of each scene's values, looked at before a run: what cannot be reflectance is refused, what is odd is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.errors import SceneError
from engine.imagery.raster.sample import Sample, samples_of
from engine.imagery.scene import Scene

# How many scenes of a long list are looked at.
_MOST_SCENES = 24
# Reflectance: snow and glint exceed 1; clouds at a low sun, and slopes after terrain correction, exceed 1.6, but never over
# a quarter of a scene; 3 is reached by gap values and wrong scales only (Sentinel-2 L1C quantises to 6.5);
# atmospheric correction may leave dark water a little below 0.
_BRIGHTEST, _IMPOSSIBLE, _DARKEST = 1.6, 3.0, -0.25
# Of a land scene, the brightest hundredth of the brightest band is above this unless the scale is wrong.
_DARK_SCENE = 0.004
# Land has something darker than this in at least one band; numbers of Landsat Collection 2 (0 reflectance is 7,273) read
# at a scale of 1/10000 have not.
_BRIGHT_SCENE = 0.55
# Shares of the sample from which something is told, or refused; a few pixels of roofs and glint are nothing odd.
_FEW, _SOME, _MANY, _MOST = 1e-4, 0.01, 0.05, 0.25
_SATURATED_SHARE = 0.05
# Reflectance has hundreds of different values in such a sample; a class map has few, flags (Fmask, QA) some with wide
# spaces between them. Calm water has few in the infrared too, but then the whole scene is dark.
_FEW_VALUES, _FLAG_VALUES, _FLAG_SPACE, _DARK_WATER = 12, 64, 4, 0.1
# Sentinel-2's offset: pixels from which it was taken off twice are far below zero in the visible bands; where it was not
# taken off, the darkest pixels of the infrared (water, shadow) lie just above it, where only the visible of deserts does.
_BELOW_ZERO, _BELOW_SHARE = -0.03, 0.1
_OFFSET, _JUST_ABOVE = 0.095, 0.13
_INFRARED = ("nir_narrow", "nir_broad", "swir_1", "swir_2")
# Backscatter of land and water is about -30 to 5 dB; denoised linear power may fall a little below zero.
_LEAST_NEGATIVE_DB, _MOST_NEGATIVE_LINEAR = 0.05, 0.01

# Land, with room: the floors of open mines and the shore of the Dead Sea, and Mount Everest.
_LOWEST_M, _HIGHEST_M = -600.0, 9000.0


def look_at(scenes: Sequence[Scene], bands: Sequence[str]) -> tuple[str, ...]:
    """What is odd about some scenes' values, in words; of a long list of scenes a part is looked at.

    Args:
        bands: those that a run reads.

    Raises:
        SceneError: values that no reading makes sense of, with the numbers and what mends it.
    """
    step = max(1, -(-len(scenes) // _MOST_SCENES))
    told: dict[str, tuple[str, int]] = {}
    for scene in scenes[::step]:
        for note in look_at_scene(scene, bands):
            key = note.replace(scene.title, "").replace(scene.id, "")
            first, count = told.get(key, (note, 0))
            told[key] = (first, count + 1)
    return tuple(
        note if count == 1 else f"{note} The same in {count - 1} more." for note, count in told.values()
    )


def look_at_scene(scene: Scene, bands: Sequence[str]) -> Iterator[str]:
    """The same for one scene.

    Raises:
        SceneError: values that no reading makes sense of.
    """
    try:
        samples = samples_of({band: scene.assets[band] for band in bands if band in scene.assets})
    except SceneError:
        return  # damaged: the tiles tell where, or are skipped where that is asked for
    known = {band: sample for band, sample in samples.items() if sample.stored.size}
    if not known:
        return  # gaps only, which the extraction tells tile by tile
    if all(not sample.stored.any() for sample in known.values()):
        raise SceneError(
            f"{scene.title} holds nothing but zeros in {', '.join(known)}. Check the file; if zero is its gap value, set scene.nodata: 0."
        )
    reflectance = {b: s for b, s in known.items() if scene.assets[b].sensor.quantity == "reflectance"}
    if reflectance:
        _require_offset(scene, reflectance)
        _require_reflectance(scene, reflectance)
        yield from _odd_reflectance(scene, reflectance)
    for band, sample in known.items():
        match scene.assets[band].sensor.quantity:
            case "backscatter":
                _require_backscatter(scene, band, sample)
            case "elevation":
                _require_heights(scene, band, sample)


def _require_reflectance(scene: Scene, samples: dict[str, Sample]) -> None:
    """Refuse what cannot be reflectance.

    Raises:
        SceneError: with the numbers and the likely remedy.
    """
    together = np.concatenate([sample.measured for sample in samples.values()])
    low, high = (float(value) for value in np.percentile(together, [0.5, 99.5]))
    stored = np.concatenate([sample.stored.astype(np.float64) for sample in samples.values()])
    dtype = next(iter(samples.values())).dtype
    numbers = f"{scene.title} would hold reflectance from {together.min():.4g} to {together.max():.4g} (stored {stored.min():.6g} to {stored.max():.6g}, {dtype})"
    asset = scene.assets[next(iter(samples))]
    read_as = (
        f"Its bands are read as {asset.sensor.title} (stored value x {asset.scale:.4g}{asset.offset:+.4g})."
    )
    remedy = f"{read_as} Set scene.sensor, or scene.scale and scene.offset, so that it is about 0 to 1; set scene.nodata to the value of its gaps."
    if dtype == np.uint8 and high < 0.2:
        raise SceneError(
            f"{numbers}: 8-bit numbers are no reflectance by this scale. Set scene.sensor: rgb for a picture, or scene.scale (0.00392 where 255 is 1)."
        )
    if high > _IMPOSSIBLE or np.mean(together > _BRIGHTEST) > _MOST:
        raise SceneError(
            f"{numbers}, far above 1: not reflectance by this scale{_digital_numbers(high, dtype)}. {remedy}"
        )
    if low < _DARKEST or np.mean(together < _DARKEST) > _SOME:
        raise SceneError(
            f"{numbers}, far below 0: a gap value that the file does not declare, or a wrong offset. {remedy}"
        )
    brightest = max(float(np.percentile(sample.measured, 99)) for sample in samples.values())
    if brightest < _DARK_SCENE and together.max() < _DARK_SCENE * 3:
        raise SceneError(
            f"{numbers}, darker than any land: its scale is likely applied already, or a wrong one. {remedy}"
        )


def _digital_numbers(high: float, dtype: np.dtype[np.generic]) -> str:
    """A guess at the scale, where floating-point numbers look like digital numbers."""
    if np.issubdtype(dtype, np.floating) and 100 < high < 20_000:
        return ", but digital numbers (scene.scale: 0.0001 if they are reflectance times 10,000)"
    if np.issubdtype(dtype, np.floating) and 2 < high <= 100:
        return ", but perhaps percent (scene.scale: 0.01)"
    return ""


def _odd_reflectance(scene: Scene, samples: dict[str, Sample]) -> Iterator[str]:
    together = np.concatenate([sample.measured for sample in samples.values()])
    bright, dark = float(np.mean(together > _BRIGHTEST)), float(np.mean(together < _DARKEST))
    if bright > _MANY or np.mean(together > _IMPOSSIBLE) > _FEW:
        yield f"{scene.title}: {_percent(bright)} of the values looked at are reflectance above {_BRIGHTEST:g} (up to {together.max():.4g})."
    if dark > _FEW:
        yield f"{scene.title}: {_percent(dark)} of the values looked at are reflectance below {_DARKEST:g} (down to {together.min():.4g})."
    yield from _offset_left(scene, samples)
    if float(np.percentile(together, 0.5)) > _BRIGHT_SCENE:
        yield (
            f"{scene.title}: no value looked at is darker than reflectance {together.min():.3g}, which only clouds and snow are. "
            f"Set scene.sensor: landsat_c2l2 if these are numbers of Landsat Collection 2."
        )
    for band, sample in samples.items():
        if not np.issubdtype(sample.dtype, np.integer):
            continue
        top = int(np.iinfo(sample.stored.dtype).max)
        share = float(np.mean(sample.stored == top))
        if share > _SATURATED_SHARE:
            yield f"{scene.title}: {_percent(share)} of {band} is saturated ({top})."
    few = {band: len(np.unique(s.stored)) for band, s in samples.items() if s.stored.size > 1000}
    masks = [band for band, count in few.items() if _is_mask(samples[band], count)]
    bright_elsewhere = any(
        np.percentile(s.measured, 99) > _DARK_WATER for band, s in samples.items() if band not in masks
    )
    if masks and bright_elsewhere:
        yield f"{scene.title}: {', '.join(masks)} holds {max(few[band] for band in masks)} different values only, as a mask does: check which band it is (scene.bands)."
    flat = [band for band, count in few.items() if count == 1]
    if flat:
        yield f"{scene.title}: {', '.join(flat)} holds one value everywhere."


def _is_mask(sample: Sample, count: int) -> bool:
    """Whether a band's so many different values are those of classes or flags."""
    space = float(np.ptp(sample.stored.astype(np.float64))) / max(count, 1)
    is_whole = np.issubdtype(sample.dtype, np.integer)
    return 1 < count <= _FEW_VALUES or (is_whole and 1 < count <= _FLAG_VALUES and space > _FLAG_SPACE)


def _require_offset(scene: Scene, samples: dict[str, Sample]) -> None:
    """Sentinel-2's offset, held against the pixels: with it, harmonised pixels would be below zero.

    Raises:
        SceneError: they are.
    """
    shifted = _of_sentinel2(scene, samples, offset=-0.1)
    if not shifted:
        return
    below = float((np.concatenate([s.measured for s in shifted.values()]) < _BELOW_ZERO).mean())
    if below > _BELOW_SHARE:
        raise SceneError(
            f"{scene.title}: with the offset of -1000 of baseline 04.00, {_percent(below)} of its reflectance is below {_BELOW_ZERO:g}: the "
            f"offset was likely taken off before. Set scene.offset: 0 if the pixels are harmonised, or -0.1 if they are not."
        )


def _offset_left(scene: Scene, samples: dict[str, Sample]) -> Iterator[str]:
    """Sentinel-2's offset that nobody took off: no value is below it, and dark ones of the infrared are just above."""
    plain = _of_sentinel2(scene, samples, offset=0.0)
    darkest = min((float(np.percentile(s.measured, 0.1)) for s in plain.values()), default=0.0)
    infrared = [float(np.percentile(s.measured, 2)) for band, s in plain.items() if band in _INFRARED]
    if infrared and darkest > _OFFSET and min(infrared) < _JUST_ABOVE:
        yield (
            f"{scene.title}: hardly any reflectance looked at is below {darkest:.3g}, as if the offset of Sentinel-2 products "
            f"since baseline 04.00 were still in it. Set scene.offset: -0.1 if so, or 0 if not."
        )


def _of_sentinel2(scene: Scene, samples: dict[str, Sample], offset: float) -> dict[str, Sample]:
    return {
        band: sample
        for band, sample in samples.items()
        if scene.assets[band].offset == offset and scene.assets[band].sensor.name.startswith("sentinel2")
    }


def _require_backscatter(scene: Scene, band: str, sample: Sample) -> None:
    """Decibels are negative nearly everywhere, linear power never is, and neither is whole numbers.

    Raises:
        SceneError: the values are not what the sensor says.
    """
    asset, span = scene.assets[band], f"{sample.measured.min():.4g} to {sample.measured.max():.4g}"
    if np.issubdtype(sample.dtype, np.integer) and asset.scale == 1.0:
        raise SceneError(
            f"{scene.title}: the band {band} holds whole numbers ({span}), which are not calibrated backscatter. "
            f"Calibrate it (e.g. with SNAP or as RTC), or set scene.scale."
        )
    negative = float(np.mean(sample.measured < 0))
    if "decibel" in asset.sensor.unit and negative < _LEAST_NEGATIVE_DB:
        raise SceneError(
            f"{scene.title}: the band {band} is read as decibels and is hardly ever negative ({span}). "
            f"Set scene.sensor: sentinel1_rtc if it is linear power."
        )
    if "linear" in asset.sensor.unit and negative > _MOST_NEGATIVE_LINEAR:
        raise SceneError(
            f"{scene.title}: the band {band} is read as linear power, and {_percent(negative)} of it is negative ({span}). "
            f"Set scene.sensor: sentinel1_grd if it is decibels."
        )


def _require_heights(scene: Scene, band: str, sample: Sample) -> None:
    """Heights lie between the deepest land and the highest mountain.

    Raises:
        SceneError: they do not.
    """
    low, high = float(sample.measured.min()), float(sample.measured.max())
    if low < _LOWEST_M or high > _HIGHEST_M:
        raise SceneError(
            f"{scene.title}: {band} holds heights from {low:.6g} to {high:.6g} m, and land lies between {_LOWEST_M:g} and {_HIGHEST_M:g} m. "
            f"Set scene.nodata if this is the value of its gaps."
        )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.2g} %"
