"""From what a person chose to the lens: the one that the server applies, the one that the browser does, and their legend."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.views.cluster_names import read_names
from engine.views.comparing.dated_view import DatedView
from engine.views.layer_view import LayerView
from engine.views.lens.kinds import anomaly_lens, clusters_lens, components_lens, similarity_lens
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.norms import Norms, norms_lens
from engine.views.lens.reduction import Reduction
from engine.views.lens.scalar_file import scalar_lens
from pages.ui.embeddings import lens_data
from pages.ui.embeddings.change_view import SeenChange
from pages.ui.embeddings.lens_choice import Choice
from pages.ui.look import palette, style
from pages.ui.map.lens import Picked

_STOPS = 5


@dataclass(frozen=True)
class Looked:
    """A view of a store and how it is drawn.

    Attributes:
        reduction: of the view, as the browser has it.
        lens: for the embeddings themselves; None for a similarity to nothing yet.
        picked: what a person chose on the map.
        date: number of the date that is drawn, among those of the file; None: the store has one of each ground.
        change: where the view is one; it has a file of its own.
        norms: as well.
        basis: name of the store whose components these are; empty: its own.
    """

    view: LayerView
    dated: DatedView
    reduction: Reduction
    choice: Choice
    lens: Lens | None
    picked: Picked
    date: int | None = None
    change: SeenChange | None = None
    norms: Norms | None = None
    basis: str = ""

    @property
    def file(self) -> tuple[Path, str]:
        """What the browser gets, and its identity."""
        if self.change is not None:
            return self.change.path, self.change.header.identity
        if self.norms is not None:
            return self.norms.path, self.norms.header.identity
        return self.reduction.path, self.reduction.header.identity

    @property
    def step(self) -> int:
        """Patches along a side whose mean the browser draws where it is zoomed out; 1: it has all of them."""
        if self.change is not None:
            return self.change.header.step
        return (self.reduction if self.norms is None else self.norms).header.step

    @property
    def file_name(self) -> str:
        """Names an export by what is seen: another view, another name."""
        seen = repr((self.view.layer, self.view.window, self.view.position, self.choice, self.picked, self.dated.date, self.lens and self.lens.names,
                     self.file[1]))  # fmt: skip
        return f"{self.choice.view.lower()}-layer-{self.view.layer}-{hashlib.sha256(seen.encode()).hexdigest()[:8]}"

    def to_browser(self) -> dict[str, Any]:
        """The lens on the components of the file."""
        if self.change is not None and self.lens is not None:
            return self.lens.to_json()
        if self.norms is not None:
            return scalar_lens("norm", self.norms.low, self.norms.high, self.picked.threshold).to_json()
        if self.choice.view != "Similarity":
            assert self.lens is not None
            return self.lens.reduced(self.reduction.basis).to_json()
        first = components_lens(self.reduction.basis, _first_three(self.reduction))
        count = len(self.reduction.basis.components)
        return {
            **_similar_to_nothing(count).to_json(),
            "idle": first.reduced(self.reduction.basis).to_json(),
        }


def look(
    dated: DatedView,
    reduction: Reduction,
    choice: Choice,
    picked: Picked,
    date: int | None,
    change: SeenChange | None,
    basis: str = "",
) -> Looked:
    """The lens of a choice."""
    view = dated.view
    lens: Lens | None
    norms: Norms | None = None
    match choice.view:
        case "Components":
            deviations = reduction.deviations if choice.is_whitened else None
            lens = components_lens(reduction.basis, choice.components, deviations)
        case "Clusters":
            clusters = lens_data.clusters(view, choice.clusters)
            lens = clusters_lens(clusters, read_names(view, clusters))
        case "Change":
            assert change is not None
            lens = scalar_lens(f"{change.distance} distance", *change.low_high)
        case "Norm":
            norms = lens_data.norms(view)
            dim = view.store.meta.dims[view.store.meta.layers.index(view.layer)]
            lens = norms_lens(dim, norms.low, norms.high)
        case "Unusual":
            distances = reduction.range_of(anomaly_lens(reduction.basis, reduction.deviations))
            lens = anomaly_lens(reduction.basis, reduction.deviations, low_high=distances)
        case "Similarity":
            lens = _similarity(view, reduction, picked) if picked.positive else None
    if lens is not None and lens.kind in ("ramp", "norm"):
        lens = replace(lens, threshold=picked.threshold)
    return Looked(view, dated, reduction, choice, lens, picked, date, change, norms, basis)


def swatches(looked: Looked) -> list[tuple[tuple[int, int, int], str]]:
    """Colours and their meaning, for a picture."""
    lens = looked.lens
    assert lens is not None
    if lens.kind == "rgb":
        plain = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
        return [
            (colour, f"the more, the more {name}") for colour, name in zip(plain, lens.names, strict=True)
        ]
    if lens.kind == "classes":
        return [(_rgba(row)[:3], name) for row, name in zip(lens.palette, lens.names, strict=True)]
    steps, colours = np.linspace(0, 1, _STOPS), ramp()
    values = lens.low[0] + steps * (lens.high[0] - lens.low[0])
    return [
        (_rgba(colours[round(255 * step)])[:3], f"{lens.names[0]} {value:.3g}")
        for step, value in zip(steps, values, strict=True)
    ]


def legend(looked: Looked, note: str) -> None:
    """What the colours mean."""
    style.legend(_entries(looked), note)


def _entries(looked: Looked) -> list[tuple[str, str]]:
    lens = looked.lens
    if lens is None:
        idle = components_lens(looked.reduction.basis, _first_three(looked.reduction))
        (css, first), *others = _component_entries(idle)
        return [
            (css, f"until you point at the map: {first}"),
            *others,
            *_ramp_entries(0.0, 1.0, "then similarity "),
        ]
    if lens.kind == "rgb":
        return _component_entries(lens)
    if lens.kind == "classes":
        return [(style.css(_rgba(row)), name) for row, name in zip(lens.palette, lens.names, strict=True)]
    return _ramp_entries(float(lens.low[0]), float(lens.high[0]), f"{lens.names[0]} ")


def _component_entries(lens: Lens) -> list[tuple[str, str]]:
    """The colours of components; of a single one both ends of the ramp."""
    if lens.kind != "rgb":
        return _ramp_entries(float(lens.low[0]), float(lens.high[0]), f"{lens.names[0]} ")
    colours = (("red", palette.RED), ("green", palette.GREEN), ("blue", palette.BLUE))
    return [(css, f"{word}: {name}") for (word, css), name in zip(colours, lens.names, strict=True)]


def _ramp_entries(low: float, high: float, words: str) -> list[tuple[str, str]]:
    colours = ramp()
    steps = np.linspace(0, 1, _STOPS)
    return [
        (style.css(_rgba(colours[round(255 * step)])), f"{words if not step else ''}{low + step * (high - low):.3g}")
        for step in steps
    ]  # fmt: skip


def _similarity(view: LayerView, reduction: Reduction, picked: Picked) -> Lens:
    positive, negative = (view.rows(those) for those in (picked.positive, picked.negative))
    return similarity_lens(reduction.basis.mean, positive, negative)


def _similar_to_nothing(count: int) -> Lens:
    zero = np.zeros(1)
    return Lens(
        "ramp", np.zeros((1, count)), np.zeros(count), zero, zero, np.ones(1), ramp(), is_unit=True, names=("similarity",)
    )  # fmt: skip


def _first_three(reduction: Reduction) -> Sequence[int]:
    return (0, 1, 2) if len(reduction.basis.components) > 2 else (0,)


def _rgba(row: np.ndarray) -> tuple[int, int, int, int]:
    red, green, blue, opacity = (int(part) for part in row)
    return red, green, blue, opacity
