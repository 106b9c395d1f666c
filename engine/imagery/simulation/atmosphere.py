"""What lies between ground and sensor: haze, smoke, cloud and its shadow, blur and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from engine.imagery.simulation.air import aerosol, to_surface, to_top
from engine.imagery.simulation.land.terrain import DIFFUSE_SHARE, Sun
from engine.imagery.simulation.noise import random_field, smoothstep
from engine.imagery.simulation.views import View, as_sensed

# Thick water cloud: approximate; bright and flat to the NIR, lower in the SWIR where droplets absorb.
CLOUD_COLOUR = np.array([0.62, 0.61, 0.62, 0.64, 0.50, 0.36])
NOISE = np.array(
    [0.0016, 0.0015, 0.0017, 0.0026, 0.0024, 0.0022]
)  # approximate, standard deviation in reflectance
GAIN_NOISE = 0.012  # relative: what bidirectional effects and resampling leave from pixel to pixel
STEP = 2.0**-13  # 0.00012: about the 0.0001 of HLS, and a binary fraction, which compresses to a half
LOWEST_SUN_RAD = np.deg2rad(72.0)  # lower, a plane atmosphere is no longer one
AEROSOL_SPREAD = 0.5  # of the aerosol of days, as the deviation of its natural logarithm: our own judgement
MOST_AEROSOL = 0.9
# What a correction takes for the aerosol is smooth over some hundred metres, and off by about 0.05 + 0.15 of it, the error
# that is expected of retrievals over land (Remer et al. 2005, J. Atmos. Sci. 62, 947-973).
RETRIEVED_PX, RETRIEVED_ERROR, RETRIEVED_SHARE = 12.0, 0.05, 0.15
# Calibration, view angle and what is not corrected of them: a few percent of a scene, and less between its bands.
SCENE_GAIN, BAND_GAIN = 0.05, 0.02
# Between places more varies than that: relief and leaf angles seen from another side, season, the correction of adjacency and
# haze. Gains, and offsets that fall towards the infrared as those of haze do. Our own judgement: chosen because decoders then
# found more of one real scar (Sentinel-2, Myanmar 2021), not measured.
PLACE_GAIN, PLACE_BAND_GAIN = 0.12, 0.04
PLACE_OFFSET, PLACE_BAND_OFFSET = 0.006, 0.0025
OFFSET_COLOUR = np.array([1.0, 0.7, 0.5, 0.4, 0.2, 0.2])


@dataclass(frozen=True)
class Sky:
    """State of the air over one chip on one date, (H, W) each.

    Attributes:
        aerosol: optical depth at 0.55 micrometres.
        exponent: of Angstrom's law; about 0 dust, about 2 fresh smoke.
        cloud: opacity, 0 to 1.
        shadow: share of direct light that cloud takes away, 0 to 1.
    """

    aerosol: np.ndarray
    exponent: float
    cloud: np.ndarray
    shadow: np.ndarray


def make_sky(
    rng: np.random.Generator, size: int, sun: Sun, pixel_m: float, cloud_cover: float, usual: float
) -> Sky:
    """Haze everywhere, and cloud over a share of the area (0 to 1) whose shadow falls away from the sun.

    Args:
        usual: median optical depth of aerosol at 0.55 micrometres.
    """
    depth = usual * rng.lognormal(0.0, AEROSOL_SPREAD) * np.exp(0.35 * random_field(rng, size, 200, 2.5))
    exponent = float(rng.uniform(0.8, 1.8))
    height_m = rng.uniform(700, 2200)
    shift_px = height_m * np.tan(sun.zenith_rad) / pixel_m
    down, right = shift_px * np.cos(sun.azimuth_rad), -shift_px * np.sin(sun.azimuth_rad)

    margin = int(np.ceil(max(abs(down), abs(right)))) + 1
    wide = size + 2 * margin
    pattern = random_field(rng, wide, float(rng.choice([26.0, 45.0, 90.0])), 1.9)
    thin, thick = np.quantile(pattern, (1.0 - cloud_cover, 1.0 - 0.55 * cloud_cover))
    cloud = smoothstep(pattern, thin, thick) ** 0.7 if cloud_cover > 0 else np.zeros_like(pattern)
    here = slice(margin, margin + size)
    shadow = ndimage.shift(cloud, (down, right), order=1, mode="constant")[here, here]
    shadow = ndimage.gaussian_filter(shadow, 1.2)
    return Sky(
        np.clip(depth, 0.02, MOST_AEROSOL), exponent, cloud[here, here], np.clip(0.92 * shadow, 0.0, 1.0)
    )


def smoke_plume(rng: np.random.Generator, source: np.ndarray, wind_rad: float) -> np.ndarray:
    """(H, W) optical depth of smoke that still drifts downwind from smouldering ground.

    Args:
        source: (H, W), 0 to 1, where it smoulders.
        wind_rad: direction the wind blows towards, counter-clockwise from east.
    """
    plume = np.zeros_like(source)
    for step in range(1, 9):
        distance = 7.0 * step
        puff = ndimage.gaussian_filter(source, 2.0 + 0.22 * distance)
        plume += (
            ndimage.shift(puff, (-distance * np.sin(wind_rad), distance * np.cos(wind_rad)), order=1)
            / step**0.4
        )
    texture = np.exp(0.6 * random_field(rng, len(source), 40, 2.0, stretch=3.0, angle_rad=wind_rad))
    return plume * texture * rng.uniform(0.1, 0.45)


def observe(rng: np.random.Generator, ground: np.ndarray, sky: Sky, sun: Sun, view: View) -> np.ndarray:
    """What a product reports of lit ground, rounded to steps of about 0.0001.

    Args:
        ground: (6, H, W) reflectance times illumination.

    Returns:
        (6, H, W) float32 reflectance of the view's level, at least one step.
    """
    share = DIFFUSE_SHARE[:, None, None]
    light = 1.0 - sky.shadow * (1.0 - share)  # in shadow only the (bluish) light of the sky is left
    gain = rng.lognormal(0.0, SCENE_GAIN) * rng.lognormal(0.0, BAND_GAIN, size=(len(NOISE), 1, 1))
    place = rng.spawn(1)[0]  # of its own, so that the draws that follow stay those of version 2
    gain = gain * place.lognormal(0.0, PLACE_GAIN) * place.lognormal(0.0, PLACE_BAND_GAIN, size=gain.shape)
    seen = ndimage.gaussian_filter(ground * light * gain, (0, view.blur_px, view.blur_px), mode="nearest")
    zenith = min(sun.zenith_rad, LOWEST_SUN_RAD)
    seen = to_top(as_sensed(seen, view), aerosol(sky.aerosol, sky.exponent), zenith)
    bright = CLOUD_COLOUR[:, None, None] * (0.75 + 0.35 * sky.cloud)
    seen = seen * (1.0 - sky.cloud) + bright * sky.cloud
    seen *= 1.0 + GAIN_NOISE * rng.standard_normal(seen.shape, dtype=np.float32)
    seen += view.noise * NOISE[:, None, None] * rng.standard_normal(seen.shape, dtype=np.float32)
    error = rng.normal(0.0, 0.7)  # the expected error is that of two cases in three, and we look at good days
    if view.level == "surface":
        retrieved = ndimage.gaussian_filter(sky.aerosol, RETRIEVED_PX)
        retrieved += error * (RETRIEVED_ERROR + RETRIEVED_SHARE * retrieved)
        retrieved = np.maximum(retrieved, 0.0)
        seen = to_surface(seen, aerosol(retrieved, sky.exponent), zenith)
    offset = place.normal(0.0, PLACE_OFFSET) * OFFSET_COLOUR + place.normal(
        0.0, PLACE_BAND_OFFSET, len(NOISE)
    )
    seen = seen + offset[:, None, None]
    steps = np.round(np.clip(seen, STEP, 1.5) / STEP)
    reported: np.ndarray = (steps * STEP).astype(np.float32)
    return reported
