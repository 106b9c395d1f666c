"""Whatever is wrong with a store, every command that shows it says so in one line and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main
from engine.store.store import EmbeddingStore
from tests.unit.views.comparing.made import SIDE, ground, store_of

Made = Callable[[Path], list[str]]


def _one_patch(folder: Path) -> list[str]:
    store = store_of(folder / "a", ground()[:SIDE, :SIDE], gaps=SIDE * SIDE - 1)
    return [
        str(store.folder),
        str(store_of(folder / "b", ground()[:SIDE, :SIDE], gaps=SIDE * SIDE - 1).folder),
    ]


def _constant(folder: Path) -> list[str]:
    return [str(store_of(folder / name, np.full((SIDE, 2 * SIDE, 5), 3.0)).folder) for name in "ab"]


def _not_finite(folder: Path) -> list[str]:
    values = ground()
    values[2, 3] = np.nan
    return [str(store_of(folder / name, values).folder) for name in "ab"]


def _apart(folder: Path) -> list[str]:
    return [
        str(store_of(folder / "a", ground()).folder),
        str(store_of(folder / "b", ground(), corner_m=(460_000.0, 4_100_000.0)).folder),
    ]


# What each command is given of the stores, and where it would write.
COMMANDS: dict[str, Callable[[list[str], Path], list[str]]] = {
    "pca": lambda stores, out: [stores[0], "--window", "1", "--out", str(out / "p.tif")],
    "cluster": lambda stores, out: [stores[0], "--window", "1", "--clusters", "3", "--out", str(out / "c.tif")],
    "umap": lambda stores, out: [stores[0], "--window", "1", "--out", str(out / "u.parquet")],
    "health": lambda stores, _: [stores[0]],
    "similar": lambda stores, out: [stores[0], "--window", "1", "--patch", "PATCH", "--out", str(out / "s.tif"), str(out / "s.parquet")],
    "change": lambda stores, out: [*stores, "--window", "1", "--out", str(out / "d.tif"), str(out / "d.png"), str(out / "d.gpkg")],
    "compare": lambda stores, out: [*stores, "--window", "1", "--out", str(out / "maps")],
}  # fmt: skip
OF_ONE = [(name, made) for name in COMMANDS for made in (_one_patch, _constant, _not_finite)]
# The distance of what is the same everywhere is 0 everywhere: that is an answer.
OF_ONE.remove(("change", _constant))
OF_TWO = [(name, _apart) for name in ("change", "compare")]


CASES = [
    *((*case, "keep") for case in (*OF_ONE, *OF_TWO)),
    *((name, _one_patch, "remove") for name in COMMANDS),
]


@pytest.mark.parametrize(
    ("name", "made", "position"),
    CASES,
    ids=[f"{name}{made.__name__}-{position}" for name, made, position in CASES],
)
def test_a_store_that_cannot_be_shown_is_refused_in_words(
    name: str, made: Made, position: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores, out = made(tmp_path), tmp_path / "out"
    out.mkdir()
    last_patch = f"{EmbeddingStore.open(Path(stores[0])).tiles[0].id}/{SIDE - 1}/{SIDE - 1}"
    arguments = [last_patch if one == "PATCH" else one for one in COMMANDS[name](stores, out)]
    assert main([name, *arguments, "--position", position, "--json"]) == 2
    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    assert last.startswith("error: ") and "foreseen" not in last and not captured.out
    assert any(store in last for store in stores)
    assert not [path for path in out.rglob("*") if path.is_file()]


def test_what_is_the_same_everywhere_has_not_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["change", *_constant(tmp_path), "--window", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["percentiles"]["euclidean"] == [0, 0, 0]
