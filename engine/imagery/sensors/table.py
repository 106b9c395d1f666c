"""The table of all sensors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import SceneError
from engine.imagery.sensors.optical import HLS_BANDS, OPTICAL
from engine.imagery.sensors.other import OTHER
from engine.imagery.sensors.sensor import Sensor
from engine.nearest import nearest

__all__ = ["HLS_BANDS", "HLS_SENSORS", "SENSORS", "sensor"]

SENSORS: Mapping[str, Sensor] = MappingProxyType({known.name: known for known in (*OPTICAL, *OTHER)})
# Sensors whose reflectance was brought together, so that their scenes fill one another and are read alike.
HLS_SENSORS = frozenset({"hls", "hls_s30", "hls_l30"})


def sensor(name: str) -> Sensor:
    """The sensor of a name.

    Raises:
        SceneError: there is no such sensor; the nearest is named.
    """
    if name not in SENSORS:
        raise SceneError(
            f"The sensor {name!r} is not known{nearest(name, SENSORS)}. Set scene.sensor to one of {', '.join(SENSORS)}."
        )
    return SENSORS[name]
