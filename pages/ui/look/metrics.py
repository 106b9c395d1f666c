"""What pages call the metrics of a run: from the names of its scores and the classes of its task."""

from __future__ import annotations

from collections.abc import Sequence

from engine.learning.tasks.task import Task, TaskClass

_OF_A_CLASS = {"iou": "IoU", "f1": "F1", "precision": "Precision", "recall": "Recall"}
_OF_ALL = {"loss": "Loss", "miou": "Mean IoU", "accuracy": "Accuracy", "mean_f1": "Mean F1"}
_OF_NUMBERS = {"r2": "R²", "rmse": "RMSE", "mae": "MAE", "bias": "Mean error"}
_IN_THE_UNIT = ("rmse", "mae", "bias")
SHARE = "0 to 1"


def title(name: str, classes: Sequence[TaskClass]) -> str:
    """A metric in words, such as "IoU, burnt" for `iou_burned`; one that is not known keeps its name."""
    measure, _, key = name.partition("_")
    of_class = next((one.title for one in classes if one.key == key), None)
    if measure in _OF_A_CLASS and of_class:
        return f"{_OF_A_CLASS[measure]}, {of_class}"
    return {**_OF_ALL, **_OF_NUMBERS}.get(name, name.replace("_", " "))


def titled(name: str, task: Task) -> str:
    """The same of a task, with its unit where the metric has that: "RMSE (m)"."""
    words = title(name, task.classes)
    return f"{words} ({task.unit})" if task.unit and name in _IN_THE_UNIT else words


def unit(name: str) -> str:
    """Unit or range of a metric; empty where it is not known."""
    if name == "loss":
        return "mean a label"
    return SHARE if name in _OF_ALL or name.partition("_")[0] in _OF_A_CLASS else ""
