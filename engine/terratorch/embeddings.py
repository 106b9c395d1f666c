"""The data half of a downstream file: embeddings, labels and splits, and what is learned from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from rasterio.errors import RasterioError

from engine.errors import EngineError
from engine.extraction.embedding_files.chips import store_of
from engine.imagery.raster.rasters import open_raster
from engine.terratorch.data_and_trainer import DATA
from engine.terratorch.keys import Found, Keys, integer
from engine.terratorch.model import MODEL

_SPLITS = {"train": "train", "val": "validation", "test": "test"}
_HARMLESS = ("ToTensorV2", "ToTensor")


@dataclass
class Files:
    """The files that a training reads.

    Attributes:
        made: `store`, `labels` and `split` of the training.
        shape: dimensions and patches down and across of the first chip; None where it is not there.
        warnings: what a person should know of them, in sentences.
    """

    made: dict[str, Any]
    shape: tuple[int, int, int] | None
    warnings: list[str] = field(default_factory=list)


def files(keys: Keys, base: Path | None) -> Files:
    """Folders, patterns and split files, as the store that is made of them."""
    images = _pattern(keys, "img_grep", "*_embedding.tif", "store.images")
    labels = _pattern(keys, "label_grep", "*.mask.tif", "store.label_files")
    parts = {name: _part(keys, name, base) for name in _SPLITS}
    store: dict[str, Any] = {"kind": "embedding_files", "images": images, "label_files": labels}
    store |= {_SPLITS[name]: part for name, part in parts.items() if part is not None}
    made = Files({"store": store, "split": {"by": "files"}}, None)
    if parts["test"] is not None and parts["test"] == parts["val"]:
        store.pop("test")
        made.warnings.append(
            "The test split is the validation split: it would be tested on the chips that chose the best epoch. Every second "
            "chip of it, by name, tests; the others validate."
        )
    elif parts["test"] is None:
        made.warnings.append(
            "The file names no test split: every second chip of the validation, by name, tests."
        )
    folders = dict.fromkeys(part["labels"] for part in parts.values() if part is not None)
    made.made["labels"] = {"source": "files", "folders": list(folders), "pattern": labels}
    if parts["train"] is not None:
        made.shape = _first_shape(Path(parts["train"]["embeddings"]), images)
    for name in ("means", "stds", "constant_scale", "dataset_bands", "output_bands", "no_data_replace"):
        _no_statistics(keys, name)
    return made


def task(keys: Keys) -> dict[str, Any]:
    """The task: burn scars where there are two classes and nothing says otherwise, else the classes by name."""
    of_model, of_data = keys.take(f"{MODEL}.model_args.num_classes"), keys.take(f"{DATA}.num_classes")
    count = of_model or of_data
    names = keys.take(f"{MODEL}.class_names", f"{DATA}.class_names")
    if of_model is not None and of_data is not None:
        keys.ignore(of_data, "the model says it")
    missing = _missing(keys)
    number = integer(count.value) if count is not None else None
    listed = names.value if names is not None and isinstance(names.value, list) else None
    number = number or (len(listed) if listed else None)
    if number is None or number < 2:
        keys.refuse(count or Found(f"{MODEL}.model_args.num_classes", "absent"), "must be 2 or more")
        return {"task": "burn_scars"}
    is_of_scars = (
        number == 2 and not missing and (listed is None or any("burn" in str(one).lower() for one in listed))
    )
    words = "task: burn_scars" if is_of_scars else f"task: {number} classes"
    for found in (count, names):
        if found is not None:
            keys.read_as(found, words)
    if is_of_scars:
        return {"task": "burn_scars"}
    called = (
        [str(one) for one in listed]
        if listed and len(listed) == number
        else [f"class {one}" for one in range(number)]
    )
    classes = [{"value": value, "name": name} for value, name in enumerate(called)]
    return {"task": {"name": "segmentation", "classes": classes, "missing": missing}}


def batches(keys: Keys, files: Files) -> dict[str, Any]:
    """How many patches a step takes: chips times the patches of one."""
    size = keys.take(f"{DATA}.batch_size")
    if size is None:
        return {}
    chips = integer(size.value)
    if not chips or chips < 1:
        keys.refuse(size, "must be a whole number of chips")
        return {}
    if files.shape is None:
        keys.not_honour(
            size, "batch_patches is left at its default: patches of a chip are not known before it is read"
        )
        return {}
    patches = chips * files.shape[1] * files.shape[2]
    keys.read_as(
        size, f"batch_patches: {patches} ({chips} chips of {files.shape[1]} x {files.shape[2]} patches)"
    )
    return {"batch_patches": patches}


def transforms(keys: Keys) -> bool:
    """Whether chips are turned and flipped; what else would change them is refused."""
    turned = False
    for name in ("train_transform", "val_transform", "test_transform"):
        found = keys.take(f"{DATA}.{name}")
        if found is None:
            continue
        if found.is_none:
            keys.ignore(found, "there is none")
            continue
        steps = found.value if isinstance(found.value, list) else [found.value]
        named = [
            str(one.get("class_path", one) if isinstance(one, dict) else one).rpartition(".")[2]
            for one in steps
        ]
        changing = [one for one in named if one not in _HARMLESS]
        if changing == ["D4"] and name == "train_transform":
            turned = True
            keys.read_as(found, "the eight flips and rotations, of embeddings and labels together")
        elif changing:
            keys.refuse(
                found,
                f"changes chips by {', '.join(changing)}; albumentations.D4 in training is what can be read",
            )
        else:
            keys.ignore(found, "it changes nothing")
    return turned


def _part(keys: Keys, name: str, base: Path | None) -> dict[str, Any] | None:
    root, labels, split = (
        keys.take(f"{DATA}.{name}_{what}") for what in ("data_root", "label_data_root", "split")
    )
    ours = _SPLITS[name]
    if root is None or root.is_none:
        for found in (root, labels, split):
            if found is not None:
                keys.ignore(found, f"there is no {name}_data_root")
        if name != "test":
            keys.refuse(
                root or Found(f"{DATA}.{name}_data_root", "absent"), "must name the folder of the embeddings"
            )
        return None
    where = labels if labels is not None and not labels.is_none else root
    made: dict[str, Any] = {"embeddings": _path(root.value, base), "labels": _path(where.value, base)}
    keys.read_as(root, f"store.{ours}.embeddings")
    if labels is not None:
        keys.read_as(labels, f"store.{ours}.labels")
    if split is not None and not split.is_none:
        made["split"] = _path(split.value, base)
        keys.read_as(split, f"store.{ours}.split")
    elif split is not None:
        keys.read_as(split, "every chip of the folder")
    return made


def _path(value: Any, base: Path | None) -> str:
    path = Path(str(value)).expanduser()
    return str(path if base is None or path.is_absolute() else base / path)


def _pattern(keys: Keys, name: str, default: str, ours: str) -> str:
    found = keys.take(f"{DATA}.{name}")
    if found is None or found.is_none:
        return default
    pattern = str(found.value)
    if PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts or "/" in pattern:
        keys.refuse(found, "must be a pattern of names inside the folder")
        return default
    keys.read_as(found, f"{ours}: {pattern}")
    return pattern


def _missing(keys: Keys) -> list[int]:
    """Label values that mean missing, besides -1."""
    values: list[int] = []
    for path, words in ((f"{DATA}.no_label_replace", "no_label_replace"), (f"{MODEL}.ignore_index", "ignore_index"),
                        (f"{DATA}.ignore_index", "ignore_index")):  # fmt: skip
        found = keys.take(path)
        if found is None or found.is_none:
            continue
        value = integer(found.value)
        if value is None:
            keys.refuse(found, "must be a whole number")
        elif value == -1 or value in values:
            keys.read_as(found, f"labels of {value} are missing")
        elif words == "no_label_replace":
            keys.ignore(found, "gaps of labels are missing as they are")
        else:
            values.append(value)
            keys.read_as(found, f"task.missing: {value}")
    reduced = keys.take(f"{DATA}.reduce_zero_label")
    if reduced is not None and reduced.value:
        keys.refuse(reduced, "shifts label values; recode the labels")
    elif reduced is not None:
        keys.ignore(reduced, "false changes nothing")
    return values


def _no_statistics(keys: Keys, name: str) -> None:
    found = keys.take(f"{DATA}.{name}")
    if found is None:
        return
    if name in ("means", "stds"):
        keys.not_honour(
            found, "embeddings are standardised by their own mean and deviation on the training chips"
        )
    elif name == "constant_scale" and found.value not in (1, 1.0, None):
        keys.not_honour(found, "embeddings are standardised, so that a factor changes nothing")
    elif name == "no_data_replace":
        keys.not_honour(found, "gaps count nowhere and become no number")
    elif name.endswith("_bands") and not found.is_none:
        keys.refuse(found, "chooses dimensions of embeddings; all are read")
    else:
        keys.ignore(found, "it changes nothing")


def _first_shape(folder: Path, pattern: str) -> tuple[int, int, int] | None:
    """Dimensions and patches of the first chip of a folder."""
    if not folder.is_dir():
        return None
    try:
        store = store_of(folder)
        if store is not None:
            return sum(store.meta.dims), store.tiles[0].h, store.tiles[0].w
        first = next(iter(sorted(folder.glob(pattern))), None)
        if first is None:
            return None
        with open_raster(first) as dataset:
            return dataset.count, dataset.height, dataset.width
    except (RasterioError, EngineError):  # said when the files are taken
        return None
