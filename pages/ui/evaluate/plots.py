"""Plots of a test, one at a time, each with its unit, its number of labels, and its table as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from engine.learning.judging.curves import precision_recall, reliability
from engine.learning.judging.judgement import JUDGEMENT, Judgement
from engine.learning.judging.tables import of_classes, tables, write_table
from engine.learning.judging.tally import classes_with_probability
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.regression import Regression
from engine.learning.tasks.task import Task
from pages.ui.evaluate import figures
from pages.ui.jobs import take
from pages.ui.look import charts, metrics, style, wording
from pages.ui.state import address, downloads

Draw = Callable[[TrainRun, Judgement], None]


def show(run: TrainRun, judgement: Judgement, methods: Sequence[Mapping[str, Any]]) -> None:
    """The plot that a person chooses."""
    drawn = _drawn(run.task, judgement)
    names = list(drawn)
    st.subheader("Where and how it fails", anchor=False)
    address.restore("plot", "evaluate_plot", names, names[0])
    name = str(st.selectbox("Plot", names, key="evaluate_plot", label_visibility="collapsed"))
    address.keep("plot", "evaluate_plot")
    draw, files = drawn[name]
    draw(run, judgement)
    held = tables(judgement, run.task, methods)
    take.links(
        [
            (f"{file.replace('-', ' ').capitalize()}, CSV", _address(run, file, held[file]))
            for file in files
            if file in held
        ]
    )


def places_and_methods(
    run: TrainRun, judgement: Judgement, methods: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Labels and addresses of the tables that stand in the panel themselves."""
    held = tables(judgement, run.task, methods)
    return [
        (f"{title}, CSV", _address(run, file, held[file]))
        for title, file in (("Methods", "methods"), ("Places", "places"))
        if file in held
    ]


def _address(run: TrainRun, name: str, table: list[list[Any]]) -> str:
    stamp = (run.folder / JUDGEMENT).stat().st_mtime_ns
    path = run.folder / f"test-{name}.csv"
    return downloads.offer(
        f"{run.folder} {stamp} {name} {len(table)}",
        f"{name}-{run.folder.name}.csv",
        lambda _asked: write_table(table, path),
    )


def _drawn(task: Task, judgement: Judgement) -> dict[str, tuple[Draw, tuple[str, ...]]]:
    """The plots that this test has, and the tables that go with each."""
    found: dict[str, tuple[Draw, tuple[str, ...]]] = {}
    if judgement.scatter is not None:
        found["Predicted against true"] = (_scatter, ("scatter",))
        found["Errors"] = (_residuals, ("residuals",))
    if "test" in judgement.tallies:
        found["Precision and recall"] = (_precision_recall, ("precision-recall",))
        found["Reliability of the probabilities"] = (_reliability, ("reliability",))
    kinds = {one.kind for one in judgement.strata}
    if kinds & {"inside", "outside"}:
        found["Distance to the edge"] = (_distance, ("distance",))
    if "size" in kinds:
        found["Size of the scar"] = (_size, ("size",))
        found["Size of the scar, place by place"] = (_area, ("places",))
    if judgement.severity:
        found["Severity"] = (_severity, ("severity",))
    if task.classes:
        found["Confusion"] = (_confusion, ())
        found["Class by class"] = (_classes, ("classes",))
    return found


def _precision_recall(run: TrainRun, judgement: Judgement) -> None:
    curves = {title: precision_recall(tally) for title, tally in _of_classes(run.task, judgement)}
    figures.precision_recall(curves, judgement.threshold)
    chosen = "" if judgement.threshold is None else (
        f" The marked threshold, {judgement.threshold:g}, gave the best IoU on the validation places; the test had no say in it. "
        f"Maps are cut at 0.5 unless you move theirs on Apply."
    )  # fmt: skip
    averages = ", ".join(f"{title} {found.average_precision:.3f}" for title, found in curves.items())
    style.small(f"Average precision: {averages}. {_labels(judgement)}{chosen}")


def _reliability(run: TrainRun, judgement: Judgement) -> None:
    plots = {title: reliability(tally) for title, tally in _of_classes(run.task, judgement)}
    figures.reliability(plots)
    errors = ", ".join(f"{title} {found.error:.3f}" for title, found in plots.items())
    style.small(
        f"Expected calibration error: {errors}: how far share and probability lie apart, over ten bins, weighted by their labels. "
        f"Below the dotted line it is too sure of the class. {_labels(judgement)}"
    )


def _distance(run: TrainRun, judgement: Judgement) -> None:
    sides = {
        "inside": f"inside: {run.task.classes[1].title}, missed",
        "outside": f"outside: falsely called {run.task.classes[1].title}",
    }
    for_sides = {
        words: [one for one in judgement.strata if one.kind == kind] for kind, words in sides.items()
    }
    figures.strata(for_sides, "Distance to the edge of the scar", "Wrong (% of the pixels)")
    style.small(
        f"Distance between pixel centres to the nearest pixel of the other class in the labels. {_counted(judgement, ('inside', 'outside'))}"
    )


def _size(run: TrainRun, judgement: Judgement) -> None:
    del run
    found = [one for one in judgement.strata if one.kind == "size"]
    figures.strata({"missed": found}, "Area of the scar", "Missed (% of its pixels)")
    scars = sum(one.scars for one in found)
    style.small(
        f"{wording.count(scars, 'scar')}, as far as the test ground shows them: one that goes on beyond its place counts as smaller. {_counted(judgement, ('size',))}"
    )


def _severity(run: TrainRun, judgement: Judgement) -> None:
    del run
    found = [one for one in judgement.strata if one.kind == "severity"]
    if not found:
        st.info(judgement.severity, icon=":material/info:")
        return
    figures.strata({"missed": found}, "Severity", "Missed (% of the burnt pixels)")
    style.small(f"Severity from {judgement.severity}. {_counted(judgement, ('severity',))}")


def _area(run: TrainRun, judgement: Judgement) -> None:
    counts, task = judgement.methods[0].counts.counts, run.task
    points = [
        (place.name, place.sought_ha, task.metrics(own)[task.watch])
        for place, own in zip(judgement.places, counts, strict=True)
        if place.sought_ha
    ]
    figures.areas(points, task)
    style.small(
        f"{wording.count(len(points), 'place')} with {task.classes[1].title} ground in the labels; places without any have no IoU."
    )


def _scatter(run: TrainRun, judgement: Judgement) -> None:
    assert judgement.scatter is not None
    figures.scatter(judgement.scatter, _quantity(run.task))
    style.small(
        f"{int(judgement.scatter.counts.sum()):,} test pixels; on the dotted line predicted and true are the same. The outermost bins hold what lies beyond."
    )


def _residuals(run: TrainRun, judgement: Judgement) -> None:
    assert judgement.scatter is not None
    figures.residuals(judgement.scatter, _quantity(run.task))
    style.small(
        f"{int(judgement.scatter.error_counts.sum()):,} test pixels; right of zero it is too high. The outermost bins hold what lies beyond."
    )


def _confusion(run: TrainRun, judgement: Judgement) -> None:
    task, names = run.task, [one.title for one in run.task.classes]
    for number, method in enumerate(judgement.methods):
        counts = task.scores(method.counts.counts.sum(axis=0)).get("confusion")
        if counts:
            charts.confusion(counts, names, method.name, f"confusion_{number}")
    style.small(f"Test {'tiles' if task.is_per_tile else 'pixels'}, and their share of the true class.")


def _classes(run: TrainRun, judgement: Judgement) -> None:
    head, *rows = of_classes(judgement, run.task)
    body = [
        (str(title), [*("undefined" if value is None else f"{value:.3f}" for value in scores), f"{labels:,}"])
        for title, *scores, labels in rows
    ]
    style.table(
        [
            "Class",
            *(metrics.title(name, ()) for name in ("IoU", "F1", "Precision", "Recall")),
            str(head[-1]).capitalize(),
        ],
        body,
        wraps=True,
    )


def _of_classes(task: Task, judgement: Judgement) -> list[tuple[str, Any]]:
    asked = classes_with_probability(task)
    return [(task.classes[k].title, one) for k, one in zip(asked, judgement.tallies["test"], strict=True)]


def _labels(judgement: Judgement) -> str:
    return f"{int(judgement.tallies['test'][0].counts.sum()):,} labels of {wording.count(len(judgement.places), 'test place')}."


def _counted(judgement: Judgement, kinds: Sequence[str]) -> str:
    return f"{sum(one.pixels for one in judgement.strata if one.kind in kinds):,} labelled pixels of {wording.count(len(judgement.places), 'test place')}."


def _quantity(task: Task) -> str:
    return task.title if isinstance(task, Regression) else "value"
