"""One simulated fire as a pair of images and a label."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.imagery.simulation import atmosphere
from engine.imagery.simulation.endmembers import NIR, SWIR_2, local_spectra, mix
from engine.imagery.simulation.fire import Fire, run_fire, scorch
from engine.imagery.simulation.land.cover import Cover
from engine.imagery.simulation.land.landscape import Landscape, make_landscape
from engine.imagery.simulation.land.landscape_kinds import LANDSCAPE_KINDS, landscape_kind_of
from engine.imagery.simulation.land.terrain import Sun, illumination, sun_position
from engine.imagery.simulation.location import CHIP_PX, PIXEL_M, Location, make_location
from engine.imagery.simulation.views import View, view_of

NODATA = -9999.0
CLOUD_IS_OPAQUE = 0.35  # opacity from which the ground cannot be labelled


@dataclass(frozen=True)
class SimulatedChip:
    """A location before and after its fire.

    Attributes:
        pre, post: (6, H, W) float32 reflectance of the view's level; NODATA in swaths that the sensor did not see.
        mask: (H, W) int16; 1 burned, 0 not burned, -1 under cloud or not seen on the post-fire date.
        cover: (H, W) of `Cover` on the post-fire date, as if there had been no fire.
        severity: (H, W), 0 to 1.
        dnbr: (H, W) float32, NBR before minus after as the two images show it; NaN under cloud on either date or not seen.
        shadow: (H, W), share of direct light that cloud takes away on the post-fire date.
        landscape_kind: a key of `LANDSCAPE_KINDS`.
        view: sensor and level of the two images.
    """

    location: Location
    landscape_kind: str
    pre: np.ndarray
    post: np.ndarray
    mask: np.ndarray
    cover: np.ndarray
    severity: np.ndarray
    dnbr: np.ndarray
    shadow: np.ndarray
    view: View


def simulate_chip(seed: int, index: int) -> SimulatedChip:
    """The chip of an index in the season of a seed; depends on nothing else.

    Raises:
        IndexError: the index is not one of the season's chips.
    """
    rng = np.random.default_rng([seed, index])
    landscape_kind = landscape_kind_of(index)
    kind = LANDSCAPE_KINDS[landscape_kind]
    climate = kind.climate
    view = view_of(index, len(LANDSCAPE_KINDS))
    location = make_location(rng, index, view.product, climate.fire_days, climate.longest_age_days)
    pre_day, post_day = location.pre.timetuple().tm_yday, location.post.timetuple().tm_yday
    dry_days = (np.array([pre_day, post_day]) - climate.dry_from_day) % 365
    greenness = 0.3 * np.exp(-dry_days / 45.0) + 0.02
    landscape = make_landscape(rng, CHIP_PX, PIXEL_M, kind, (float(greenness[0]), float(greenness[1])))
    burned_share = float(np.clip(rng.lognormal(np.log(0.22), 0.5), 0.05, 0.5))
    fire = run_fire(rng, landscape, PIXEL_M, burned_share, (location.post - location.fire).days)

    spectra = local_spectra(rng, climate.soils)
    latitude_deg = float(rng.uniform(*climate.latitude_deg))
    after = scorch(rng, fire, landscape.cover[1], landscape.fractions[1], landscape.other_soil)
    suns = [sun_position(latitude_deg, day) for day in (pre_day, post_day)]
    pre, pre_sky = _image(
        rng, landscape, mix(landscape.fractions[0], spectra), suns[0], view, climate.aerosol, None
    )
    post, sky = _image(rng, landscape, mix(after, spectra), suns[1], view, climate.aerosol, fire)
    mask = fire.burned.astype(np.int16)
    mask[sky.cloud > CLOUD_IS_OPAQUE] = -1
    unseen = _swath_gap(rng) & (rng.random() < 0.12)
    post[:, unseen] = NODATA
    mask[unseen] = -1
    dnbr = np.where(
        (mask >= 0) & (pre_sky.cloud <= CLOUD_IS_OPAQUE), burn_ratio(pre) - burn_ratio(post), np.nan
    )
    return SimulatedChip(
        location,
        landscape_kind,
        pre,
        post,
        mask,
        landscape.cover[1],
        fire.severity,
        dnbr.astype(np.float32),
        sky.shadow,
        view,
    )


def burn_ratio(pixels: np.ndarray) -> np.ndarray:
    """Normalised Burn Ratio (Key & Benson 2006) of (6, H, W) reflectance, -1 to 1; 0 where undefined."""
    nir, swir = (np.maximum(pixels[band], 0) for band in (NIR, SWIR_2))
    return (nir - swir) / np.maximum(nir + swir, 1e-6)


def _image(
    rng: np.random.Generator,
    landscape: Landscape,
    ground: np.ndarray,
    sun: Sun,
    view: View,
    usual_aerosol: float,
    fire: Fire | None,
) -> tuple[np.ndarray, atmosphere.Sky]:
    """The ground (6, H, W) as a product shows it under a sun, and the sky over it; a fresh fire may still smoke."""
    cover = float(rng.uniform(0.02, 0.16)) if rng.random() < 0.38 else 0.0
    sky = atmosphere.make_sky(rng, CHIP_PX, sun, PIXEL_M, cover, usual_aerosol)
    if fire is not None and fire.age_days < 12 and rng.random() < 0.6:
        smoke = atmosphere.smoke_plume(rng, np.where(fire.severity > 0.8, 1.0, 0.0), fire.wind.angle_rad)
        sky = replace(sky, aerosol=np.minimum(sky.aerosol + smoke, atmosphere.MOST_AEROSOL))
    light = illumination(landscape.terrain, sun)
    light = np.where(landscape.cover[1] == Cover.WATER, 1.0, light)
    return atmosphere.observe(rng, ground * light, sky, sun, view), sky


def _swath_gap(rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: a wedge beyond the edge of the swath, slanted as a descending orbit is."""
    rows, columns = np.indices((CHIP_PX, CHIP_PX))
    edge = rng.uniform(0.05, 0.3) * CHIP_PX + 0.21 * rows  # about 12 degrees from north
    gap: np.ndarray = columns < edge if rng.random() < 0.5 else columns > CHIP_PX - edge
    return gap
