"""The parts of the Evaluate page: the choice of a training, its scores, how it learned, its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.learning.judging.comparison import measures
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.task import Task
from pages.ui.jobs import chosen_run, take
from pages.ui.look import charts, glossary, metrics, style, wording
from pages.ui.state import cached, downloads, results

_HELP = {
    "iou": glossary.meaning("IoU"),
    "f1": glossary.meaning("F1"),
    "miou": "Mean of the IoU of all classes; of two, burnt and not burnt say, this is what GEO-Bench-2 and PANGAEA report.",
    "accuracy": glossary.meaning("accuracy"),
    "precision": glossary.meaning("precision"),
    "recall": glossary.meaning("recall"),
}

_OF_NUMBERS = ("r2", "rmse", "mae", "bias")


def choose_run(runs: Sequence[cached.JobFacts]) -> cached.JobFacts:
    """One of the trainings: that of the address, or the one that a person comes from, or the newest."""
    return chosen_run.choose("Training", runs, "evaluate_run", "train_job", results.training_words)


def open_run(chosen: cached.JobFacts) -> TrainRun:
    """The training's reader.

    Raises:
        JobError: its files are gone or damaged.
    """
    run = TrainRun.open(chosen.job.folder)
    run.decoder  # noqa: B018 - reads the card, and so says here what is wrong with it
    return run


def headline(run: TrainRun) -> None:
    """The scores that people ask for first, and how sure they are."""
    found, task = run.scores, run.task
    rows = [name for name, _ in _rows(run) if not (_has_table(task) and _is_of_class(name, task))]
    columns = [column for _ in range(2) for column in st.columns(2)]
    shown = list(dict.fromkeys((task.watch, *measures(task), *rows)))[: len(columns)]
    for column, name in zip(columns, shown, strict=False):
        interval = found.get(f"{name}_interval")
        column.metric(
            metrics.titled(name, task), _number(found.get(name)), help=_HELP.get(name.partition("_")[0]),
            delta=f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else None, delta_color="off", delta_arrow="off",
        )  # fmt: skip
    judged = "labelled_tiles" if task.is_per_tile else "pixels"
    words = (
        f"{found.get(judged, 0):,} labelled {'tiles' if task.is_per_tile else 'pixels'} of "
        f"{wording.count(found.get('places', 0), 'test place')}, scored once."
    )
    if any(found.get(f"{name}_interval") for name in shown):
        words = f"{words} Below a score: its 95 % interval, from drawing the test places anew."
    st.caption(words)
    if _has_table(task):
        _by_class(found, task)
    if run.decoder.labels_source.startswith("clicked labels"):
        notes = " ".join(str(note) for note in found.get("notes", ()))
        st.warning(
            f"Taught by clicked labels, none of which was set aside as a test: each patch was called by what was learnt on "
            f"other places, and the decoder that is kept has learnt from all. {wording.told(notes)}",
            icon=":material/info:",
        )


def _has_table(task: Task) -> bool:
    """Whether each class has a row of its own: there are more than can stand side by side."""
    return len(task.classes) > 2


def _is_of_class(name: str, task: Task) -> bool:
    return name.partition("_")[2] in {one.key for one in task.classes}


def _by_class(found: Mapping[str, Any], task: Task) -> None:
    """The scores of each class."""
    named = {"iou": "IoU", "f1": "F1", "precision": "Precision", "recall": "Recall"}
    rows = [
        (one.title, [_number(found.get(f"{measure}_{one.key}")) for measure in named]) for one in task.classes
    ]
    style.table(["Class", *named.values()], rows)


def way_on(chosen: cached.JobFacts) -> None:
    """To the map of other ground."""
    if st.button("Map other ground with it", type="primary", key="to_apply", icon=":material/arrow_forward:", width="stretch"):  # fmt: skip
        st.session_state["train_job"] = chosen.job.id
        st.switch_page("pages/apply.py", query_params={"job": chosen.job.id})


def every_score(run: TrainRun) -> None:
    """Every score of the decoder, beside the first baseline's where the task has one, folded away."""
    found, baseline = run.scores, _baseline(run.scores)
    columns = ["Test places", "Decoder", *((_baseline_name(found), "Difference") if baseline else ())]
    rows = []
    for name, title in _rows(run):
        cells = [_number(found.get(name))]
        if baseline:
            difference = _difference(found.get(name), baseline.get(name))
            cells += [_number(baseline.get(name)), _signed(difference)]
        rows.append((title, cells))
    unit = "labelled_tiles" if run.task.is_per_tile else "pixels"
    size = [f"{found.get(unit, 0):,}", *((f"{baseline.get(unit, 0):,}", "") if baseline else ())]
    with st.expander("Every score", icon=":material/table_rows:"):
        style.table(columns, [*rows, ("Tiles" if run.task.is_per_tile else "Pixels", size)])
        of_index = f" {glossary.meaning('NBR')}" if "NBR" in _baseline_name(found) else ""
        st.caption(
            f"Every score is computed once, from the counts of all test {'tiles' if run.task.is_per_tile else 'pixels'}.{of_index}"
        )


def confusion(run: TrainRun) -> None:
    """Confusion of a decoder that was not judged in detail."""
    counts = run.scores.get("confusion")
    if counts:
        charts.confusion(counts, [one.title for one in run.task.classes], "Decoder", "confusion_decoder")


def history(run: TrainRun) -> None:
    """How it learned, folded away; the curves are drawn once somebody looks, for the browser takes longest over them."""
    epochs = run.history
    if not epochs:
        return
    folded = st.expander(
        "How it learned", icon=":material/show_chart:", key="evaluate_history", on_change="rerun"
    )
    if folded.open:
        with folded:
            charts.curves(epochs, run.task, f"history_{run.folder.name}")


def take_home(run: TrainRun, tables: Sequence[tuple[str, str]] = ()) -> None:
    """Report, scores and maps as files.

    Args:
        tables: labels and addresses of further ones.
    """
    st.subheader("Take it home", anchor=False)
    name = run.folder.name
    maps = [
        (label, path)
        for label, path in (("Map, GeoTIFF", run.predictions), ("Errors, GeoTIFF", run.errors))
        if path.is_file()
    ]
    take.links(
        [("Report, one page", take.report_address(run)), ("Scores, CSV", take.scores_address(run))]
        + list(tables)
        + take.curves_addresses(run)
        + [(label, downloads.offer_file(path, f"{name}-{path.name}")) for label, path in maps]
    )


def _rows(run: TrainRun) -> list[tuple[str, str]]:
    """Scores that are one number, by name and title: the watched one, then those of all classes, then class by class."""
    found, task = run.scores, run.task
    sought = task.classes[1:] if len(task.classes) == 2 else task.classes
    of_class = [f"{measure}_{one.key}" for measure in ("iou", "f1", "precision", "recall") for one in sought]
    names = dict.fromkeys(
        (
            task.watch,
            *_OF_NUMBERS,
            *of_class[:2],
            "mean_f1",
            "miou",
            "accuracy",
            *of_class,
            *_other_ious(task),
        )
    )
    return [(name, metrics.titled(name, task)) for name in names if name in found]


def _other_ious(task: Task) -> list[str]:
    return [f"iou_{one.key}" for one in task.classes]


def _baseline(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return found.get("baseline") or {}


def _baseline_name(found: Mapping[str, Any]) -> str:
    return str(_baseline(found).get("name", "baseline"))


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float | int) else "undefined"


def _difference(one: Any, other: Any) -> float | None:
    return one - other if isinstance(one, float | int) and isinstance(other, float | int) else None


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}".replace("-", "−")
