"""What the map of the Label page is drawn from: a view of a store, its labels, and what they taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.labels.clicked.label_set import LabelSet
from engine.learning.clicked.classifier import Method
from engine.learning.clicked.neighbour_map import identity_of, neighbour_file, neighbour_lens
from engine.learning.clicked.taught import Taught
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.kinds import components_lens
from engine.views.lens.lens import Kind, Lens
from engine.views.lens.reduction import Reduction
from pages.ui.label.choice import Shown
from pages.ui.map.routes import lens_files

_KEPT = 12


@dataclass(frozen=True)
class Seen:
    """What the map is drawn from.

    Attributes:
        taught: None until two classes have labels.
        date: number of the date among those of the reduction's file; None: all.
    """

    view: DatedView
    reduction: Reduction
    labels: LabelSet
    taught: Taught | None
    shown: Shown
    date: int | None

    @property
    def method(self) -> Method:
        """How it was learnt; logistic regression before it is."""
        return "logistic" if self.taught is None else self.taught.classifier.method

    @property
    def kind(self) -> tuple[Kind, int]:
        """What the map shows of a classifier, and the number of the class whose probability is meant."""
        if self.taught is None or self.shown.show == "Class":
            return "classes", 0
        if self.shown.show == "Where unsure":
            return "uncertainty", 0
        return "probability", [one.name for one in self.taught.classifier.classes].index(self.shown.of)

    @property
    def lens(self) -> Lens:
        """For embeddings; by nearest neighbours for the numbers of `neighbour_file`."""
        if self.taught is None:
            basis = self.reduction.basis
            return components_lens(basis, (0, 1, 2) if len(basis.components) > 2 else (0,))
        if self.method == "knn":
            return neighbour_lens(self.taught, *self.kind)
        return self.taught.classifier.lens(*self.kind)

    def drawn(self) -> tuple[str, int | None, Lens]:
        """The token of what the browser draws, the number of the date in it, and the lens on its numbers."""
        if self.taught is None or self.method != "knn":
            token = lens_files.register(self.reduction.path, self.reduction.header.identity)
            return token, self.date, self.lens.reduced(self.reduction.basis)
        name = identity_of(self.taught, *self.kind)[:16]
        path = self.view.store.folder.parent / "overlays" / f"labels-knn-{name}.bin"
        with st.spinner("Asking the neighbours of every patch."):
            header = neighbour_file(path, self.taught, *self.kind)
        _forget_old(path)
        return lens_files.register(path, header.identity), None, self.lens


def _forget_old(newest: Path) -> None:
    """Keep the files of the last few classifiers only: each label makes another one."""
    found = sorted(newest.parent.glob("labels-knn-*.bin"), key=lambda one: one.stat().st_mtime_ns)
    for old in found[:-_KEPT]:
        old.unlink(missing_ok=True)
