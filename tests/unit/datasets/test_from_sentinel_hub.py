"""Sentinel Hub is asked for each fire: its catalogue for the first clear day, its process API for that day's picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import box, mapping

from engine.datasets.build import build_dataset
from engine.errors import BadInput, RemoteError
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.configuration.config import DatasetConfig, parse_config
from engine.jobs.dataset_events import DatasetDone
from tests.stac.range_server import Handler, RangeServer
from tests.unit.catalogues.test_sentinel_hub import service

__all__ = ["service"]

# Days, cloud and how much of the fire's surroundings each scene shows; the fire ends on the 10th.
SEEN = (("2023-07-09T10:05:00Z", 0.0, 1.0), ("2023-07-12T10:05:00Z", 50.0, 1.0), ("2023-07-14T10:05:00Z", 2.0, 0.3),
        ("2023-07-17T10:05:00Z", 4.0, 1.0), ("2023-07-19T10:05:00Z", 0.0, 1.0))  # fmt: skip
FIRE = box(15.0, 45.0, 15.01, 45.008)


def config_of(folder: Path, **imagery: Any) -> DatasetConfig:
    path = folder / "fires.geojson"
    feature = {"type": "Feature", "properties": {"Incid_Name": "A", "Ig_Date": "2023-07-10"}, "geometry": mapping(FIRE)}  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    config = parse_config({
        "kind": "dataset", "perimeters": {"file": str(path)}, "burning_days": 0, "days_after": 30,
        "imagery": {"source": "sentinel_hub", "bands": ["red", "nir_narrow"], **imagery},
        "chips": {"size_px": 64, "surroundings_m": 100},
    })  # fmt: skip
    assert isinstance(config, DatasetConfig)
    return config


def listing(service: RangeServer, pages: int = 1) -> None:
    """Let the service list its scenes, over some pages."""
    process = service.fault
    assert process is not None

    def answers(handler: Handler) -> bool:
        if not handler.path.endswith("/catalog/1.0.0/search"):
            return process(handler)
        if handler.headers["Authorization"] != "Bearer made-up":
            return handler.answer(401, b"") or True
        asked = json.loads(handler.body)
        west, south, east, north = asked["bbox"]
        first = int(asked.get("next", 0))
        shown = SEEN[first::pages] if pages > 1 else SEEN
        features = [
            {"properties": {"datetime": when, "eo:cloud_cover": cloud},
             "geometry": mapping(box(west, south, west + share * (east - west), north))} for when, cloud, share in shown
        ]  # fmt: skip
        context = {"next": first + 1} if first + 1 < pages else {}
        return handler.answer(200, json.dumps({"features": features, "context": context}).encode()) or True

    service.fault = answers


@pytest.mark.parametrize("pages", [1, 3])
def test_a_fire_is_cut_of_the_picture_of_its_first_clear_day(
    service: RangeServer, home: Path, tmp_path: Path, pages: int
) -> None:
    listing(service, pages)
    done = list(build_dataset(config_of(tmp_path), tmp_path / "run", home))[-1]
    assert isinstance(done, DatasetDone)
    scenes = chip_scenes(Path(done.dataset))
    assert {str(one.datetime)[:10] for one in scenes} == {"2023-07-17"}
    assert scenes[0].bands == ("red", "nir_narrow")
    kept = [path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not any(word in content for word in (b"hush", b"made-up") for content in kept)


def test_no_day_and_too_many_pixels_are_told_in_the_report(
    service: RangeServer, home: Path, tmp_path: Path
) -> None:
    listing(service)
    cloudy = config_of(tmp_path, most_cloud_pct=1).model_copy(update={"days_after": 3})
    with pytest.raises(BadInput, match="Sentinel-2 L2A by Sentinel Hub has no image after 2023-07-10"):
        list(build_dataset(cloudy, tmp_path / "run", home))
    wide = config_of(tmp_path)
    wide = wide.model_copy(update={"chips": wide.chips.model_copy(update={"surroundings_m": 30_000.0})})
    with pytest.raises(BadInput, match=r"at most 2500 pixels .*imagery\.gsd_m"):
        list(build_dataset(wide, tmp_path / "wide", home))


def test_a_service_that_lists_nothing_readable_is_told(
    service: RangeServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.datasets.build._MOST_FAILURES", 1)
    for body in (b"[]", b'{"features": [{}]}', b"<html>"):
        token = service.fault
        assert token is not None
        service.fault = lambda handler, body=body, token=token: (
            (handler.path.endswith("search") and (handler.answer(200, body) or True)) or token(handler)
        )
        with pytest.raises(RemoteError, match="listed no scenes of 2023-07-10"):
            list(build_dataset(config_of(tmp_path), tmp_path / "run", home))
        service.fault = token
