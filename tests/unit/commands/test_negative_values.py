"""Western and southern coordinates are typed as they are read, with or without an equals sign."""

from __future__ import annotations

import pytest

from engine.commands.arguments.negative_values import with_negative_values
from engine.commands.arguments.parser import parser


@pytest.mark.parametrize("at", ["-75.6,37.6", "-.5,-3", "-75,37", "14.2,-40.7"])
@pytest.mark.parametrize("joined", ["--at={}", "--at {}"])
def test_a_place_west_of_greenwich_is_taken(at: str, joined: str) -> None:
    given = ["similar", "store", *joined.format(at).split(), "--out", "a.tif", "b.parquet"]
    chosen = parser().parse_args(with_negative_values(given))
    assert chosen.at == parser().parse_args(["similar", "store", f"--at={at}", "--out", "a.tif"]).at
    assert len(chosen.out) == 2


def test_a_rectangle_west_of_greenwich_is_taken_and_others_stay_as_they_are() -> None:
    given = ["cut", "scene.yaml", "--region", "-75.7,37.5,-75.6,37.6", "--out", "a.tif"]
    assert parser().parse_args(with_negative_values(given)).region == "-75.7,37.5,-75.6,37.6"
    for kept in (["jobs", "--json"], ["x", "--seed", "-3"], ["x", "-a,b"], ["-1,2"]):
        assert with_negative_values(kept) == kept
