"""The compare command takes position off by itself where the Compare page does, and of no other store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main
from tests.unit.views.comparing.made import COLUMNS, ROWS, SIDE, store_of


def test_position_is_taken_off_of_the_stores_where_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(ROWS * SIDE, COLUMNS * SIDE, 5))
    place = np.tile(rng.normal(size=(SIDE, SIDE, 5)) * 3, (ROWS, COLUMNS, 1))
    stores = [
        str(store_of(tmp_path / name, values).folder) for name, values in (("a", noise), ("b", noise + place))
    ]
    found = {}
    for position in ("keep", "auto"):
        assert main(["compare", *stores, "--window", "1", "--position", position, "--json"]) == 0
        found[position] = json.loads(capsys.readouterr().out)
    assert [view["position"] for view in found["auto"]["views"]] == ["keep", "remove"]
    assert found["auto"]["pairs"][0]["cka"] > 0.8 > 0.5 > found["keep"]["pairs"][0]["cka"]
