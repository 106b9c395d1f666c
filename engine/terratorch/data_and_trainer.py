"""The data and trainer of a generation file: which chips are embedded, on which device, and where the store goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from engine.backbones.core.spec import BackboneSpec
from engine.terratorch.keys import Found, Keys, boolean, integer, number, numbers
from engine.terratorch.model import MODEL, names_of
from engine.terratorch.statistics import Comparison, compare

DATA = "data.init_args"
_DEVICES = {"auto": "auto", "cpu": "cpu", "gpu": "cuda", "cuda": "cuda", "mps": "mps"}
_FORMATS = {
    "tiff": "a GeoParquet store is written; `python -m engine export STORE --out FILE.tif` makes GeoTIFFs of it",
    "parquet": "a GeoParquet store is written: parts of many tiles instead of a file a tile",
    "parquet_joint": "a GeoParquet store is written; it opens as one table",
    "neuco_csv": "a GeoParquet store is written; no CSV is",
}
_HARMLESS_TRANSFORMS = ("ToTensorV2", "ToTensor")


def scene(keys: Keys, given: tuple[str, ...] | None) -> dict[str, Any]:
    """The folder of chips, which files of it, and what their bands are called.

    Args:
        given: the bands that the file passes to the model; None: the model's own.
    """
    root, grep = keys.take(f"{DATA}.predict_data_root"), keys.take(f"{DATA}.img_grep")
    if root is None or root.is_none:
        keys.refuse(
            root or Found(f"{DATA}.predict_data_root", "absent"),
            "must name the folder of the chips to embed",
        )
        return {}
    pattern = str(grep.value) if grep is not None and not grep.is_none else "*"
    if PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts:
        keys.refuse(grep or root, "must be a pattern inside the folder")
    folder = Path(str(root.value))
    made: dict[str, Any] = {"source": "chips", "path": str(folder)}
    if folder.name == "data" and pattern == "*_merged.tif":
        made["path"] = str(
            folder.parent
        )  # the layout of HLS Burn Scars, whose splits and masks then count too
    else:
        made["images"] = pattern
    keys.read_as(root, f"scene.path: {made['path']}")
    if grep is not None:
        keys.read_as(
            grep,
            f"scene.images: {made['images']}" if "images" in made else "scene.source: chips, its own layout",
        )
    channels = _channels(keys, given)
    return made if channels is None else {**made, "bands": list(channels)}


def statistics(
    keys: Keys, spec: BackboneSpec, settings: Mapping[str, str], bands: tuple[str, ...] | None
) -> tuple[list[str], float | None]:
    """Warnings where the file's means and deviations are not the model's own, and what they say of the unit.

    Args:
        spec: the card, resolved for the modality.
        settings: the modality, as settings of the card.
        bands: those that the file passes to the model; None: the model's own.

    Returns:
        Warnings, and the reflectance of a stored 1 (None: a stored 1 is a reflectance of 1, or nothing is said).
    """
    means, stds, factor = (keys.take(f"{DATA}.{name}") for name in ("means", "stds", "constant_scale"))
    values = [_one_a_band(keys, found, bands or spec.bands) for found in (means, stds) if found is not None]
    known = [listed for listed in values if listed is not None]
    if means is None or stds is None:
        for found in (means, stds):
            if found is not None:
                keys.refuse(found, "is alone; means and stds go together")
        return [], _scale(keys, factor, None)
    if len(known) < 2:
        return [], None
    comparison = compare(spec, bands or spec.bands, known[0], known[1], settings)
    scale = _scale(keys, factor, comparison)
    return _told(keys, (means, stds), spec, comparison, scale), scale


def _one_a_band(keys: Keys, found: Found, bands: Sequence[str]) -> list[float] | None:
    listed = numbers(found.value)
    if listed is not None and len(listed) == len(bands):
        return listed
    keys.refuse(found, f"must be {len(bands)} numbers, one a band ({', '.join(bands)})")
    return None


def _scale(keys: Keys, factor: Found | None, found: Comparison | None) -> float | None:
    """Reflectance of a stored 1, from the unit of the means and the factor that pixels are multiplied by."""
    times = 1.0 if factor is None else number(factor.value)
    if factor is not None and (times is None or times <= 0 or (times != 1 and found is None)):
        keys.refuse(
            factor, "scales pixels to a unit that nothing tells; give means and stds too, or leave it out"
        )
        return None
    scale = (times or 1.0) / (found.scale if found is not None else 1.0)
    if factor is not None:
        keys.read_as(
            factor, "no change" if times == 1 else f"scene.scale: {scale:g}, with the unit of the means"
        )
    return None if scale == 1 else scale


def _told(
    keys: Keys, pair: tuple[Found, Found], spec: BackboneSpec, found: Comparison | None, scale: float | None
) -> list[str]:
    """Note how means and deviations were read; a warning where they differ."""
    if found is None:
        for key in pair:
            keys.ignore(key, f"{spec.name} has no means of its own for these bands")
        return []
    unit = f"taken as {found.unit} by their ratio" + ("" if scale is None else f" (scene.scale: {scale:g})")
    for key in pair:
        if found.differences:
            keys.not_honour(
                key, f"{unit}; {spec.name} standardises by its own card ({spec.normalisation.source})"
            )
        else:
            keys.read_as(key, f"{unit}; {spec.name}'s own")
    if not found.differences:
        return []
    return [
        f"means and stds are not {spec.name}'s own. In the file's unit, {unit}: {'; '.join(found.differences)} of the "
        f"model. Emberscope uses the model's own; a network that is given others sees other colours than in its training."
    ]


def run(keys: Keys) -> dict[str, Any]:
    """Seed, device and batch size."""
    made: dict[str, Any] = {}
    seed = keys.take("seed_everything")
    if seed is not None:
        made["seed"] = (integer(seed.value) or 0) if not isinstance(seed.value, bool) else 0
        keys.read_as(seed, f"seed: {made['seed']}")
    made["device"] = device(keys)
    size = keys.take(f"{DATA}.batch_size")
    if size is not None:
        made["batch_size"] = integer(size.value)
        if not made["batch_size"] or made["batch_size"] < 1:
            keys.refuse(size, "must be a whole number of chips")
        keys.read_as(size, f"batch_size: {made['batch_size']}")
    precision = keys.take("trainer.precision")
    if precision is not None:
        keys.not_honour(
            precision, "the device decides: bfloat16 where its hardware computes in it, float32 elsewhere"
        )
    return made


def output(keys: Keys) -> Path | None:
    """The run folder, and a word on the form of the store."""
    form = keys.take(f"{MODEL}.output_format")
    if form is not None and str(form.value) in _FORMATS:
        keys.not_honour(form, _FORMATS[str(form.value)])
    elif form is not None:
        keys.refuse(form, f"is not one of {', '.join(_FORMATS)}")
    own, general = keys.take(f"{MODEL}.output_dir"), keys.take("predict_output_dir")
    chosen = own if own is not None and not own.is_none else general
    if own is not None and general is not None:
        keys.ignore(general, f"{own.key} says where embeddings go")
    if chosen is None or chosen.is_none:
        return None
    keys.read_as(chosen, f"--out {chosen.value}")
    return Path(str(chosen.value))


def _channels(keys: Keys, given: tuple[str, ...] | None) -> tuple[str | None, ...] | None:
    """Common names of the channels of a chip's file, None for one that is not passed on; None: as the files say."""
    there = _names(keys, "dataset_bands")
    chosen = _names(keys, "output_bands") or given
    if there is None or chosen is None:
        return there or chosen
    return tuple(name if name in chosen else None for name in there)


def _names(keys: Keys, name: str) -> tuple[str, ...] | None:
    found = keys.take(f"{DATA}.predict_{name}", f"{DATA}.{name}")
    if found is None or found.is_none:
        return None
    names = names_of(keys, found, found.value)
    if names is not None:
        keys.read_as(found, f"scene.bands: {', '.join(names)}")
    return names


def pixels(keys: Keys) -> None:
    """Keys that change pixels on their way: what changes nothing is said, the rest is refused."""
    stacked = keys.take(f"{DATA}.expand_temporal_dimension")
    if stacked is not None and boolean(stacked.value):
        keys.refuse(stacked, "stacks dates as bands of one file; give each date a file of its own")
    elif stacked is not None:
        keys.ignore(stacked, "false changes nothing")
    for name in ("test_transform", "predict_transform"):
        found = keys.take(f"{DATA}.{name}")
        if found is not None:
            _transform(keys, found)
    gap = keys.take(f"{DATA}.no_data_replace")
    if gap is not None and not gap.is_none:
        keys.not_honour(
            gap, "gaps travel as a mask and become no number; a patch's share of valid pixels is in its row"
        )
    elif gap is not None:
        keys.ignore(gap, "gaps travel as a mask")


def _transform(keys: Keys, found: Found) -> None:
    steps = found.value if isinstance(found.value, list) else [found.value]
    named = [str(step.get("class_path", step)).rpartition(".")[2] for step in steps if isinstance(step, dict)]
    changing = [name for name in named if name not in _HARMLESS_TRANSFORMS]
    if changing:
        keys.refuse(found, f"changes chips by {', '.join(changing)}; chips are embedded as they are")
    else:
        keys.ignore(found, "it changes no pixel")


def device(keys: Keys) -> str:
    """The device of one process."""
    kind, count, nodes = (
        keys.take("trainer.accelerator"),
        keys.take("trainer.devices"),
        keys.take("trainer.num_nodes"),
    )
    chosen = _DEVICES.get(str(kind.value)) if kind is not None else "auto"
    if kind is not None and chosen is None:
        keys.refuse(kind, f"is not one of {', '.join(_DEVICES)}")
    elif kind is not None:
        keys.read_as(kind, f"device: {chosen}")
    if count is not None:
        chosen = _numbered(keys, count, chosen or "auto")
    if nodes is not None:
        _one(keys, nodes, (integer(nodes.value) or 1) > 1)
    return chosen or "auto"


def _numbered(keys: Keys, count: Found, device: str) -> str:
    """Lightning's `devices`: a count, -1, auto, or a list of numbers, also written as "0,"."""
    value = count.value
    if isinstance(value, str) and "," in value:
        value = [part for part in value.split(",") if part.strip()]
    several = len(value) > 1 if isinstance(value, list) else (integer(value) or 1) > 1
    if isinstance(value, list) and len(value) == 1 and device == "cuda" and integer(value[0]) is not None:
        device = f"cuda:{integer(value[0])}"
        keys.read_as(count, f"device: {device}")
    else:
        _one(keys, count, several)
    return device


def _one(keys: Keys, found: Found, is_several: bool) -> None:
    if is_several:
        keys.not_honour(
            found, "one process on one device, with the same rows; `engine: ray` spreads a run over several"
        )
    else:
        keys.ignore(found, "a run has one process on one device")
