"""A download inside a job says how far it is, is not made where it is not needed, and ends with the job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import locate as weights
from engine.backbones.weights.download import Progress
from engine.errors import WeightsError
from engine.extraction.plan import Plan, make_plan
from engine.extraction.weights import weights_download as fetching
from engine.jobs import download_steps
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import StepStarted

WriteRaster = Callable[..., Path]


@pytest.fixture
def plan_of(write_raster: WriteRaster, tmp_path: Path) -> Callable[[str], Plan]:
    path = write_raster("scene.tif", np.ones((6, 64, 64), np.int16))

    def plan(given: str) -> Plan:
        config = parse_config({
            "kind": "extract", "scene": {"source": "file", "path": str(path)},
            "backbone": {"name": "prithvi_eo_v2_300", "weights": given}, "device": "cpu",
        })  # fmt: skip
        assert isinstance(config, ExtractConfig)
        return make_plan(config, tmp_path)

    return plan


def slow_fetch(steps: int, ended: list[str]) -> Callable[[BackboneSpec, Progress], Path]:
    """A stand-in for the network: so many steps of 100 MB."""

    def fetch(spec: BackboneSpec, on_progress: Progress) -> Path:
        try:
            for step in range(steps):
                on_progress((step + 1) * 100_000_000, steps * 100_000_000)
                time.sleep(0.02)
        except BaseException as err:
            ended.append(type(err).__name__)
            raise
        ended.append("whole")
        return Path("there")

    return fetch


def test_a_download_tells_how_far_it_is(
    plan_of: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(weights, "present", lambda _: None)
    monkeypatch.setattr(weights, "fetch", slow_fetch(10, ended))
    monkeypatch.setattr(download_steps, "_TELL_S", 0.02)
    steps = [event.step for event in fetching.fetch_weights(plan_of("pretrained")) if isinstance(event, StepStarted)]  # fmt: skip
    assert ended == ["whole"]
    assert steps[0].startswith("Fetching ") and "MB" not in steps[0]
    told = [int(step.split(": ")[1].split(" MB")[0].replace(",", "")) for step in steps[1:]]
    assert len(told) >= 3 and told == sorted(told)
    assert steps[-1].endswith("of 1,000 MB")


def test_a_download_ends_with_its_job(
    plan_of: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(weights, "present", lambda _: None)
    monkeypatch.setattr(weights, "fetch", slow_fetch(10_000, ended))
    monkeypatch.setattr(download_steps, "_TELL_S", 0.02)
    events = fetching.fetch_weights(plan_of("pretrained"))
    next(events), next(events)
    began = time.monotonic()
    events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 10
    assert ended == ["_Unwanted"]


def test_what_the_network_refuses_ends_the_job_in_its_words(
    plan_of: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Path:
        raise WeightsError("offline")

    monkeypatch.setattr(weights, "present", lambda _: None)
    monkeypatch.setattr(weights, "fetch", refuse)
    with pytest.raises(WeightsError, match="offline"):
        list(fetching.fetch_weights(plan_of("pretrained")))


@pytest.mark.parametrize("given", ["random", "/given/by/hand.pt"])
def test_nothing_is_fetched_where_weights_are_random_or_given(
    plan_of: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(weights, "fetch", lambda *_: pytest.fail("fetched"))
    assert not list(fetching.fetch_weights(plan_of(given)))


def test_nothing_is_fetched_that_is_here(
    plan_of: Callable[[str], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "present", lambda _: Path("here"))
    monkeypatch.setattr(weights, "fetch", lambda *_: pytest.fail("fetched"))
    assert not list(fetching.fetch_weights(plan_of("pretrained")))
