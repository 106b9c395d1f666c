"""What the labels of a store teach: read, learnt from, and what is then seen."""

from __future__ import annotations

from pathlib import Path

from engine.labels.clicked.geojson import labels_path, read_labels
from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import rows_of
from engine.learning.clicked.taught import teach
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.reduction import Reduction
from pages.ui.label import choice
from pages.ui.label.seen import Seen


def file_of(store: EmbeddingStore) -> Path:
    """Where the labels of a store are kept."""
    return labels_path(store.folder)


def labels_of(path: Path) -> LabelSet:
    """The labels that there are now."""
    return read_labels(path)


def learn(view: DatedView, reduction: Reduction, labels: LabelSet, date: int | None) -> Seen:
    """Fit the classifier where two classes have labels, and ask what the map shows of it."""
    present = rows_of(labels, view.store, view.chosen).present
    if len(present) < 2:
        return Seen(view, reduction, labels, None, choice.Shown("Class"), date)
    taught = teach(view, labels, reduction.basis, choice.choose_method())
    shown = choice.choose_shown([labels.classes[one].name for one in present])
    return Seen(view, reduction, labels, taught, shown, date)


def learn_like(
    first: Seen, view: DatedView, reduction: Reduction, labels: LabelSet, date: int | None
) -> Seen:
    """The same on another store: by the method of the first, and showing the same where both have its classes."""
    present = rows_of(labels, view.store, view.chosen).present
    names = [labels.classes[one].name for one in present]
    if len(present) < 2 or first.taught is None:
        return Seen(view, reduction, labels, None, choice.Shown("Class"), date)
    shown = (
        first.shown if first.shown.show != "Probability" or first.shown.of in names else choice.Shown("Class")
    )
    return Seen(view, reduction, labels, teach(view, labels, reduction.basis, first.method), shown, date)
