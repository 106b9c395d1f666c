"""What the arguments of the command line have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.commands.arguments.examples import CONFIGS, LABELS
from engine.commands.arguments.parser import parser
from engine.commands.imagery.cut import config_of, region_given
from engine.errors import BadInput
from engine.jobs.configuration.config import parse_config
from engine.labels.clicked.geojson import parse_labels


def test_an_argument_of_several_values_may_also_be_given_several_times() -> None:
    several = [
        action
        for sub in _commands().values()
        for action in sub._actions
        if action.option_strings and action.nargs == "+"
    ]
    assert several
    assert [action.dest for action in several if not isinstance(action, argparse._ExtendAction)] == []
    chosen = parser().parse_args(
        ["map-files", "maps/0", "--polygons", "a.gpkg", "--polygons", "b.geojson", "c.parquet"]
    )
    assert chosen.polygons == ["a.gpkg", "b.geojson", "c.parquet"]


@pytest.mark.parametrize("command", CONFIGS)
def test_the_example_in_the_help_of_a_command_is_a_configuration_that_it_takes(
    command: str, tmp_path: Path
) -> None:
    assert CONFIGS[command] in _commands()[command].format_help()
    tree = yaml.safe_load(CONFIGS[command])
    if "kind" in tree:
        assert parse_config(tree, command).kind == command
    else:
        (tmp_path / "scene.yaml").write_text(CONFIGS[command])
        assert config_of(tmp_path / "scene.yaml").scene.source == tree["scene"]["source"]


def test_the_example_of_labels_is_read_as_it_stands() -> None:
    found, notes = parse_labels(LABELS.encode(), "labels.geojson")
    assert ([one.class_name for one in found.labels], notes) == (["burnt", "not burnt"], [])
    assert LABELS in _commands()["label"].format_help()


def _commands() -> dict[str, argparse.ArgumentParser]:
    def found() -> Iterator[argparse.Action]:
        yield from parser()._actions

    return next(dict(action.choices) for action in found() if isinstance(action, argparse._SubParsersAction))


@pytest.mark.parametrize(
    "given",
    [
        "14,40,15,41",
        "POLYGON ((14 40, 15 40, 15 41, 14 41, 14 40))",
        "SRID=4326;POLYGON((14 40, 15 40, 15 41, 14 41, 14 40))",
        '{"type": "Polygon", "coordinates": [[[14, 40], [15, 40], [15, 41], [14, 41], [14, 40]]]}',
    ],
)
def test_a_region_is_bounds_or_a_polygon_in_words(given: str) -> None:
    assert region_given(given).polygon.bounds == (14, 40, 15, 41)
    with pytest.raises(BadInput):
        region_given(given[:-3] + "north")
