"""Which fires of a file are asked for: by name, day, place and size."""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from engine.datasets.perimeters.fire import Fire
from engine.errors import BadInput
from engine.jobs.configuration.dataset import PerimetersConfig
from engine.nearest import nearest

_GEOD = Geod(ellps="WGS84")


def chosen_fires(fires: Sequence[Fire], config: PerimetersConfig) -> tuple[tuple[Fire, ...], str]:
    """The fires that are asked for, and what is to be said of the others; "" where there are none.

    Raises:
        BadInput: no fire has a name that is asked for, or none is left.
    """
    _require_names(fires, config)
    found = tuple(fire for fire in fires if _is_asked(fire, config))
    if not found:
        raise BadInput(
            f"None of the {len(fires):,} fires of {config.file} is asked for by perimeters.names, days, bounds_lonlat and "
            f"smallest_ha. Ask for more."
        )
    left = len(fires) - len(found)
    return found, f"{left:,} of {len(fires):,} fires are not asked for." if left else ""


def area_m2(shape: BaseGeometry) -> float:
    """Area on the WGS 84 ellipsoid of a shape in lon/lat."""
    found, _ = _GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))
    return float(abs(found))


def _require_names(fires: Sequence[Fire], config: PerimetersConfig) -> None:
    known = {fire.name.lower(): fire.name for fire in fires}
    absent = [name for name in config.names if name.lower() not in known]
    if absent:
        raise BadInput(
            f"{config.file} holds no fire named {absent[0]!r}{nearest(absent[0], list(known.values()))}. Mend perimeters.names."
        )


def _is_asked(fire: Fire, config: PerimetersConfig) -> bool:
    if config.names and fire.name.lower() not in {name.lower() for name in config.names}:
        return False
    if config.days is not None and not config.days[0] <= fire.start <= config.days[1]:
        return False
    if config.bounds_lonlat is not None and not fire.shape.intersects(shapely.box(*config.bounds_lonlat)):
        return False
    return not config.smallest_ha or area_m2(fire.shape) >= 1e4 * config.smallest_ha
