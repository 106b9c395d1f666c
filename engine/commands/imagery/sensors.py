"""The command that lists the sensors whose rasters are read, and the table of them in the README."""

from __future__ import annotations

import argparse
from typing import Any

from engine.imagery.sensors.sensor import Sensor
from engine.imagery.sensors.table import SENSORS

_COLUMNS = (
    "`scene.sensor`",
    "what it is",
    "deliveries",
    "bands",
    "value of a stored integer",
    "gap",
    "level",
)


def sensors(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """List the sensors."""
    if chosen.json:
        return [_facts(one) for one in SENSORS.values()]
    print(sensors_table())
    return None


def sensors_table() -> str:
    """All sensors as a Markdown table."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_row(one) for one in SENSORS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(one: Sensor) -> tuple[str, ...]:
    bands = ", ".join(f"{band.name} {band.code}".strip() for band in one.table)
    value = "as stored" if (one.scale, one.offset) == (1.0, 0.0) else f"n x {one.scale:.6g}"
    offset = f" {'+' if one.offset > 0 else '-'} {abs(one.offset):g}" if one.offset else ""
    gap = "as the file says" if one.nodata is None else f"{one.nodata:g}"
    return (
        f"`{one.name}`",
        one.title,
        one.deliveries.replace("*", "\\*"),
        bands,
        value + offset,
        gap,
        one.level or one.unit,
    )


def _facts(one: Sensor) -> dict[str, Any]:
    return {
        "name": one.name, "title": one.title, "deliveries": one.deliveries, "quantity": one.quantity,
        "bands": [{"name": b.name, "code": b.code or None, "wavelength_um": b.wavelength_um} for b in one.table],
        "scale": one.scale, "offset": one.offset, "nodata": one.nodata, "level": one.level, "unit": one.unit,
    }  # fmt: skip
