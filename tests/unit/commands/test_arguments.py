"""What the arguments of the command line have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from engine.commands.arguments.parser import parser


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


def _commands() -> dict[str, argparse.ArgumentParser]:
    def found() -> Iterator[argparse.Action]:
        yield from parser()._actions

    return next(dict(action.choices) for action in found() if isinstance(action, argparse._SubParsersAction))
