"""Loss, optimizer, step size and length of a downstream file."""

from __future__ import annotations

from typing import Any

from engine.terratorch.data_and_trainer import device
from engine.terratorch.keys import Found, Keys, integer, number, numbers
from engine.terratorch.model import MODEL

# Names of TerraTorch's losses (terratorch/tasks/segmentation_tasks.py) -> ours.
_LOSSES = {"ce": "cross_entropy", "jaccard": "jaccard", "focal": "focal", "dice": "dice", "lovasz": "lovasz"}
_OPTIMIZERS = {"AdamW": "adamw", "Adam": "adam"}
_SCHEDULES = {
    "CosineAnnealingLR": "cosine", "CosineAnnealingWarmRestarts": "cosine", "ReduceLROnPlateau": "plateau", "ConstantLR": "constant",
}  # fmt: skip
_TORCH_RATE, _TORCH_DECAY = 1e-3, {"adamw": 1e-2, "adam": 0.0}  # defaults of torch.optim


def loss(keys: Keys, taught: dict[str, Any]) -> dict[str, Any]:
    """One loss or a weighted sum, and weights of the classes."""
    found = keys.take(f"{MODEL}.loss")
    given = "ce" if found is None else found.value
    weights = (
        given
        if isinstance(given, dict)
        else dict.fromkeys(given if isinstance(given, list) else [given], 1.0)
    )
    terms = {_LOSSES.get(str(name), ""): number(weight) for name, weight in weights.items()}
    if found is not None and (
        "" in terms or not terms or not all(one is not None and one > 0 for one in terms.values())
    ):
        keys.refuse(found, f"is not made of {', '.join(_LOSSES)} with weights above 0")
        return {}
    made: dict[str, Any] = {"name": next(iter(terms))} if len(terms) == 1 else {"name": "sum", "terms": terms}
    if found is not None:
        words = ", ".join(f"{name}: {weight:g}" for name, weight in terms.items())
        keys.read_as(found, f"loss: {words if len(terms) > 1 else made['name']}")
    _class_weights(keys, taught, made)
    return made


def steps(keys: Keys) -> dict[str, Any]:
    """Optimizer and step size; older files have them among the model's arguments."""
    made: dict[str, Any] = {"warm_up": 0.0}
    named = keys.take("optimizer.class_path", f"{MODEL}.optimizer")
    name = str(named.value).rpartition(".")[2] if named is not None else "Adam"
    if name not in _OPTIMIZERS:
        keys.refuse(named or Found("optimizer", "absent"), f"is not one of {', '.join(_OPTIMIZERS)}")
        name = "AdamW"
    elif named is not None:
        keys.read_as(named, f"optimizer: {_OPTIMIZERS[name]}")
    made["optimizer"] = _OPTIMIZERS[name]
    rate, decay = (
        keys.take("optimizer.init_args.lr", f"{MODEL}.lr"),
        keys.take("optimizer.init_args.weight_decay"),
    )
    hyper = keys.take(f"{MODEL}.optimizer_hparams.weight_decay")
    made["learning_rate"] = _positive(keys, rate, "learning_rate", _TORCH_RATE)
    made["weight_decay"] = _positive(
        keys, decay or hyper, "weight_decay", _TORCH_DECAY[made["optimizer"]], least=0.0
    )
    made["schedule"] = _schedule(keys)
    return made


def trainer(keys: Keys) -> dict[str, Any]:
    """Epochs, patience, clipping, precision and device."""
    made: dict[str, Any] = {"device": device(keys)}
    epochs = keys.take("trainer.max_epochs")
    if epochs is not None:
        made["epochs"] = integer(epochs.value)
        if not made["epochs"] or not 1 <= made["epochs"] <= 1000:
            keys.refuse(epochs, "must be a whole number from 1 to 1000")
        keys.read_as(epochs, f"epochs: {made['epochs']}")
    clip = keys.take("trainer.gradient_clip_val")
    if clip is not None and not clip.is_none:
        made["clip_norm"] = _positive(keys, clip, "clip_norm", 1.0)
    elif clip is not None:
        keys.ignore(clip, "there is none")
    precision = keys.take("trainer.precision")
    if precision is not None:
        keys.not_honour(
            precision, "precision: float32; a decoder on embeddings is small (precision: bfloat16 for a GPU)"
        )
    return made | _patience(keys)


def _patience(keys: Keys) -> dict[str, Any]:
    """Of an early stopping among the callbacks; without one the training goes to its last epoch."""
    found = keys.take("trainer.callbacks")
    if found is None or not isinstance(found.value, list):
        if found is not None:
            keys.ignore(found, "there is none")
        return {"patience": 1000}
    for one in found.value:
        if isinstance(one, dict) and str(one.get("class_path", "")).endswith("EarlyStopping"):
            arguments = one.get("init_args")
            patience = integer(arguments.get("patience", 3)) if isinstance(arguments, dict) else 3
            if not patience or patience < 1:
                keys.refuse(found, "has an EarlyStopping whose patience must be a whole number above 0")
                return {}
            keys.read_as(
                found,
                f"patience: {patience}, by the task's metric on validation; other callbacks have no bearing",
            )
            return {"patience": patience}
    keys.ignore(found, "progress, best state and logs are the run's own affair")
    return {"patience": 1000}


def _schedule(keys: Keys) -> str:
    found = keys.take("lr_scheduler.class_path", f"{MODEL}.scheduler")
    rest = keys.take("lr_scheduler.init_args")
    if found is None or found.is_none:
        return "constant"
    name = str(found.value).rpartition(".")[2]
    if name not in _SCHEDULES:
        keys.refuse(found, f"is not one of {', '.join(_SCHEDULES)}")
        return "constant"
    schedule = _SCHEDULES[name]
    keys.read_as(found, f"schedule: {schedule}")
    words = {
        "cosine": "the cosine falls over all epochs",
        "plateau": "the step size is halved where validation stays",
    }
    if rest is not None:
        keys.not_honour(rest, words.get(schedule, "the step size stays"))
    return schedule


def _class_weights(keys: Keys, taught: dict[str, Any], made: dict[str, Any]) -> None:
    found = keys.take(f"{MODEL}.class_weights")
    if found is None or found.is_none:
        return
    weights = numbers(found.value)
    task = taught["task"]
    count = 2 if task == "burn_scars" else len(task["classes"])
    if weights is None or len(weights) != count or min(weights) <= 0:
        keys.refuse(found, f"must be {count} numbers above 0")
    elif task == "burn_scars":
        made["burned_weight"] = weights[1] / weights[0]
        keys.read_as(found, f"loss.burned_weight: {made['burned_weight']:g}")
    else:
        for one, weight in zip(task["classes"], weights, strict=True):
            one["weight"] = weight
        keys.read_as(found, "task.classes: a weight each")


def _positive(keys: Keys, found: Found | None, ours: str, default: float, least: float = 1e-12) -> float:
    if found is None:
        return default
    value = number(found.value)
    if value is None or value < least:
        keys.refuse(found, "must be a number above 0" if least else "must be a number, 0 or above")
        return default
    keys.read_as(found, f"{ours}: {value:g}")
    return value
