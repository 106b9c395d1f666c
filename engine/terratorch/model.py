"""The model half of a generation file: backbone, weights, bands, layers, dates, and how patches become rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.extraction.plan import resolve_layers
from engine.imagery.sensors.names import common_name
from engine.nearest import nearest
from engine.terratorch.keys import Found, Keys, boolean, integer, is_none

MODEL = "model.init_args"
# TerraTorch's temporal wrapper -> ours (its guide, "Pooling modes").
_JOINS = {"mean": "mean", "max": "max", "diff": "difference", "concat": "concatenate", "keep": "keep"}
_CLS_WORDS = "vit_", "cnn_"  # how older files begin the name of a pooling


def argument(keys: Keys, name: str) -> Found | None:
    """An argument of the model: with the prefix `backbone_` (present files) or without it (older ones)."""
    return keys.take(f"{MODEL}.model_args.backbone_{name}", f"{MODEL}.model_args.{name}")


def backbone(keys: Keys) -> BackboneSpec | None:
    """The card that the file names, or None when there is none (refused then)."""
    found = keys.take(f"{MODEL}.model_args.backbone", f"{MODEL}.model")
    if found is None:
        keys.refuse(Found(f"{MODEL}.model_args.backbone", "absent"), "must name a backbone")
        return None
    name = str(found.value).removeprefix("terratorch_")
    name = (
        f"timm/{name.removeprefix('timm_')}" if name.startswith("timm_") and name not in cards.CARDS else name
    )
    try:
        spec = cards.card(name)
    except BackboneError:
        keys.refuse(found, f"is not a backbone of Emberscope{nearest(name, cards.CARDS)}; "
                           f"`python -m engine backbones` lists them")  # fmt: skip
        return None
    keys.read_as(found, f"backbone.name: {spec.name}")
    if "time" in spec.settings and "location" in spec.settings:
        keys.not_honour(found, "TerraTorch's task never passes time and location to this model; here it is told both where "
                               "they are known (backbone.settings.time and .location: ignore leave them out)")  # fmt: skip
    return spec


def weights(keys: Keys) -> str:
    """`pretrained`, `random`, or a checkpoint's path."""
    pretrained, path = argument(keys, "pretrained"), argument(keys, "ckpt_path")
    chosen = "pretrained"
    if pretrained is not None:
        is_pretrained = boolean(pretrained.value)
        if is_pretrained is None:
            keys.refuse(pretrained, "must be true or false")
        chosen = "pretrained" if is_pretrained else "random"
        keys.read_as(pretrained, f"backbone.weights: {chosen}")
    if path is not None and not path.is_none:
        chosen = str(path.value)
        keys.read_as(path, f"backbone.weights: {chosen}")
    return chosen


def modality(keys: Keys, spec: BackboneSpec) -> dict[str, str]:
    """Settings of the card that use the one modality that the file names."""
    found = argument(keys, "modalities")
    if found is None or is_none(found.value):
        return {}
    names = found.value if isinstance(found.value, list) else [found.value]
    known = {name: name.lower() for name in spec.modalities}
    if len(names) != 1 or str(names[0]) not in known:
        keys.refuse(found, f"cannot be read as one modality of {spec.name}"
                           + (f"; it has {', '.join(known)}" if known else ", which has none"))  # fmt: skip
        return {}
    chosen = {setting: "use" if name == str(names[0]) else "ignore" for name, setting in known.items()}
    keys.read_as(found, f"backbone.settings: {known[str(names[0])]} is used, the others are not")
    return {name: value for name, value in chosen.items() if value != spec.settings[name][0]}


def merging(keys: Keys, spec: BackboneSpec) -> dict[str, str]:
    """The setting that says how modalities are merged, where the file says it."""
    merge = argument(keys, "merge_method")
    if merge is None:
        return {}
    if merge.value in spec.settings.get("merge", ()):
        keys.read_as(merge, f"backbone.settings.merge: {merge.value}")
        return {"merge": str(merge.value)}
    keys.refuse(merge, f"is not a way in which {spec.name} joins modalities")
    return {}


def subset(spec: BackboneSpec, given: tuple[str, ...] | None) -> dict[str, str]:
    """The setting that says that bands may be absent, where the file passes only some of the model's.

    Args:
        spec: resolved for the modality.
        given: the bands that the file passes to the model; None: the model's own.
    """
    is_subset = given is not None and "bands" in spec.settings and set(given) < set(spec.bands)
    return {"bands": "available"} if is_subset else {}


def bands(
    keys: Keys, spec: BackboneSpec, settings: Mapping[str, str]
) -> tuple[BackboneSpec, tuple[str, ...] | None]:
    """The card of the modality, and the bands that the file passes to the model.

    Args:
        settings: the modality, as settings of the card.

    Returns:
        The card resolved for the modality, and common names in the file's order; None: the model's own.
    """
    found = argument(keys, "bands")
    names = None if found is None or found.is_none else _listed(keys, found)
    if spec.any_bands:
        if found is not None and names is not None:
            keys.read_as(found, f"bands {', '.join(names)}")
        return spec, names
    resolved = cards.resolve(spec, settings, names)
    if found is None or names is None or not _fit(keys, found, names, resolved):
        return resolved, None
    return resolved, names


def _listed(keys: Keys, found: Found) -> tuple[str, ...] | None:
    """Common names of a list, or of the one list of a mapping by modality; None: refused."""
    value = found.value
    if isinstance(value, dict):
        if len(value) != 1:
            keys.refuse(
                found, f"has {len(value)} modalities; one is read. Keep one of {', '.join(map(str, value))}"
            )
            return None
        value = next(iter(value.values()))
    return names_of(keys, found, value)


def _fit(keys: Keys, found: Found, names: tuple[str, ...], spec: BackboneSpec) -> bool:
    """Whether the model can take these bands; noted either way."""
    strange = [name for name in names if name not in spec.bands]
    missing = [band for band in spec.bands if band not in names]
    if strange:
        words = (
            f"names {', '.join(strange)}, which {spec.name} does not take; it takes {', '.join(spec.bands)}"
        )
        keys.refuse(found, words)
    elif missing and "bands" not in spec.settings:
        keys.refuse(found, f"leaves out {', '.join(missing)}, which {spec.name} needs")
    else:
        short = f"; {', '.join(missing)} drop from the patch projection (backbone.settings.bands: available)"
        keys.read_as(found, f"bands {', '.join(names)}{short if missing else ''}")
        return True
    return False


def names_of(keys: Keys, found: Found, value: Any) -> tuple[str, ...] | None:
    """Common names of a list of band names, or None when it is none (refused then)."""
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        keys.refuse(found, "must be a list of band names; numbers and ranges say nothing of the band")
        return None
    names = tuple(common_name(name) for name in value)
    if len(set(names)) < len(names):
        keys.refuse(found, "names a band twice")
        return None
    return names


def layers(keys: Keys, spec: BackboneSpec) -> list[int]:
    """Layers, as TerraTorch counts them: from 0, negative from the end; the last without the key."""
    found = keys.take(f"{MODEL}.layers")
    if found is None or found.is_none:
        return [-1]
    chosen = [integer(item) for item in (found.value if isinstance(found.value, list) else [found.value])]
    known = [layer for layer in chosen if layer is not None]
    if len(known) < len(chosen):
        keys.refuse(found, "must be whole numbers")
        return [-1]
    try:
        resolve_layers(spec, known)
    except BackboneError:
        keys.refuse(
            found,
            f"asks for layers that {spec.name} does not have: it has 0 to {spec.depth - 1}, or -1 for the last, each once",
        )
        return [-1]
    keys.read_as(found, f"backbone.layers: {known}")
    return known


def dates(keys: Keys) -> str:
    """How dates are joined."""
    uses = keys.take(f"{MODEL}.model_args.backbone_use_temporal", f"{MODEL}.model_args.use_temporal",
                     f"{MODEL}.temporal_cfg.temporal_wrapper")  # fmt: skip
    pooling = keys.take(f"{MODEL}.model_args.backbone_temporal_pooling", f"{MODEL}.model_args.temporal_pooling",
                        f"{MODEL}.temporal_cfg.temporal_pooling")  # fmt: skip
    if uses is not None and not boolean(uses.value):
        keys.ignore(uses, "dates are joined only where a scene has several")
    elif uses is not None:
        keys.read_as(uses, "dates are joined by backbone.temporal where a scene has several")
    if pooling is None or pooling.is_none:
        return "mean"
    way = _JOINS.get(str(pooling.value))
    if way is None:
        keys.refuse(pooling, f"is not a way to join dates; those are {', '.join(_JOINS)}")
        return "mean"
    keys.read_as(pooling, f"backbone.temporal: {way}")
    return way


def pooling(keys: Keys, spec: BackboneSpec) -> str | None:
    """How a tile's patches become one row; None: one row a patch."""
    has_cls, found = keys.take(f"{MODEL}.has_cls"), keys.take(f"{MODEL}.embedding_pooling")
    claimed = None if has_cls is None else boolean(has_cls.value)
    if has_cls is not None:
        right = claimed is None or claimed == ("cls" in spec.pooling)
        (keys.ignore if right else keys.not_honour)(
            has_cls, f"the card knows: {spec.name} has {'a' if 'cls' in spec.pooling else 'no'} class token"
        )
    if found is None or found.is_none or found.value == "keep":
        if found is not None:
            keys.read_as(found, "granularity: patch, one row a patch")
        return None
    way = str(found.value)
    for start in _CLS_WORDS:
        way = way.removeprefix(start)
    if way not in spec.pooling:
        keys.refuse(found, f"cannot be done with {spec.name}, which pools by {', '.join(spec.pooling)}; "
                           f"null keeps one row a patch")  # fmt: skip
        return None
    keys.read_as(found, f"granularity: tile, pooling: {way}")
    return way
