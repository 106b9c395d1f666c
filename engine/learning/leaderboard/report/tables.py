"""A leaderboard as CSV: its own table, and the columns that the boards of others take, one line a seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

# The columns of results_and_parameters.csv that a submission to the GEO-Bench-2 leaderboard holds
# (The-AI-Alliance/GEO-Bench-2-Leaderboard, utils/constants.py; its README explains them).
GEO_BENCH_2 = (
    "dataset", "Metric", "experiment_name", "partition name", "backbone", "decoder", "batch_size_selection",
    "frozen_or_full_ft", "early_stop_patience", "n_trials", "Seed", "data_percentages", "batch_size", "weight_decay", "lr",
    "test metric",
)  # fmt: skip
# The columns of its results file (torchgeo/torchgeo-bench, results/all_results.csv) that a decoder on embeddings can fill.
TORCHGEO_BENCH = (
    "dataset", "method", "metric_name", "metric_value", "ci_lower", "ci_upper", "feature_dim", "best_c", "best_lr",
    "best_batch_size", "n_train", "n_val", "n_test", "seed", "model", "name", "normalization", "image_size", "interpolation",
    "partition", "bands",
)  # fmt: skip
_OWN = (
    "backbone", "head", "layers", "position", "seeds", "{watch}_mean", "{watch}_std", "interval_low", "interval_high",
    "miou_mean", "validation_mean", "places", "seconds", "extract_seconds", "bytes", "weights", "data",
)  # fmt: skip


def own_table(summary: Mapping[str, Any]) -> str:
    """The rows, then the baselines, with what the data and the weights are."""
    watch = summary["metric"]
    columns = [name.format(watch=watch) for name in _OWN]
    lines = []
    for row in (*summary["rows"], *summary["baselines"]):
        low, high = row["interval"] or (None, None)
        told = {
            **row, "layers": " ".join(map(str, row.get("layers", ()))), "seeds": " ".join(map(str, row.get("seeds", ()))),
            "interval_low": low, "interval_high": high, "weights": _weights(row),
            "data": "simulated" if row["is_simulated"] else "",
        }  # fmt: skip
        lines.append([_cell(told.get(name)) for name in columns])
    return _written(columns, lines)


def geo_bench_2(summary: Mapping[str, Any]) -> str:
    """One line a seed in the columns of the GEO-Bench-2 leaderboard; empty text where the task has no classes."""
    training, name = summary["training"], _dataset(summary)
    lines = [
        [
            name, "Multiclass_Jaccard_Index", f"{row['backbone']}_{row['head']}{_differs(row)}", "1.00x train", row["backbone"],
            row["head"], "fixed", "frozen", training["patience"], 0, seed, 100, training["batch_patches"],
            training["weight_decay"], training["learning_rate"], _cell(scores["miou"]),
        ]
        for row in summary["rows"]
        for seed, scores in zip(row["seeds"], row["by_seed"], strict=True)
        if scores.get("miou") is not None
    ]  # fmt: skip
    return _written(GEO_BENCH_2, lines)


def torchgeo_bench(summary: Mapping[str, Any]) -> str:
    """One line a seed in the columns of torchgeo-bench; the interval is that of the test places."""
    tiles, training = summary["tiles"], summary["training"]
    lines = []
    for row in summary["rows"]:
        each = zip(row["seeds"], row["by_seed"], row["miou_intervals"], strict=True)
        for seed, scores, interval in each:
            if scores.get("miou") is None:
                continue
            low, high = interval or ("", "")
            lines.append([
                _dataset(summary), _method(row), "mIoU", _cell(scores["miou"]), _cell(low), _cell(high), row["feature_dim"], "",
                training["learning_rate"], training["batch_patches"], tiles["train"], tiles["validation"], tiles["test"], seed,
                row["backbone"], f"{row['backbone']}{_differs(row)}", "model_native", row["image_size"], "", "default",
                " ".join(row["bands"]),
            ])  # fmt: skip
    return _written(TORCHGEO_BENCH, lines)


def _method(row: Mapping[str, Any]) -> str:
    """As torchgeo-bench calls a head; k-NN is named with its neighbours."""
    name = row["head_settings"]["name"]
    return f"knn{row['head_settings']['neighbours']}" if name == "knn" else f"seg-{name}"


def _dataset(summary: Mapping[str, Any]) -> str:
    return (
        "simulated_burn_scars"
        if summary["is_simulated"]
        else "burn_scars"
        if summary["task"] == "burn_scars"
        else summary["task"]
    )


def _differs(row: Mapping[str, Any]) -> str:
    """Layers and position, so that rows of one backbone have names of their own."""
    layers = "" if len(row["layers"]) == 1 else f"_layers{'-'.join(map(str, row['layers']))}"
    return f"{layers}{'_position-removed' if row['position'] == 'remove' else ''}"


def _weights(row: Mapping[str, Any]) -> str:
    if "weights_sha256" not in row:
        return ""
    return "random" if row["is_random"] else str(row["weights_sha256"])[:12]


def _cell(value: Any) -> Any:
    return "" if value is None else round(value, 6) if isinstance(value, float) else value


def _written(columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_without_formulas(cell) for cell in line] for line in lines)
    return text.getvalue()


def _without_formulas(cell: Any) -> Any:
    """Text that a spreadsheet would calculate is kept as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell
