"""The decoder of a downstream file, as a head of ours."""

from __future__ import annotations

from typing import Any

from engine.nearest import nearest
from engine.terratorch import embeddings
from engine.terratorch.embeddings import Files
from engine.terratorch.keys import Found, Keys, integer, number
from engine.terratorch.model import MODEL

_ARGUMENTS = f"{MODEL}.model_args"
# TerraTorch's decoders -> our heads. UNetDecoder, UperNetDecoder and others want a pyramid of images.
_HEADS = {"FCNDecoder": "conv", "MLPDecoder": "mlp", "LinearDecoder": "linear"}
_DEFAULT_CHANNELS, _DEFAULT_CONVOLUTIONS = (
    256,
    4,
)  # of its FCNDecoder (terratorch/models/decoders/fcn_decoder.py)
_MOST_HIDDEN = 8


def head(keys: Keys, files: Files) -> tuple[dict[str, Any], str]:
    """The head, and how training chips are turned."""
    _backbone(keys, files)
    _necks(keys)
    named = keys.take(f"{_ARGUMENTS}.decoder")
    name = str(named.value).removeprefix("terratorch_") if named is not None else ""
    if named is None or name not in _HEADS:
        given = named or Found(f"{_ARGUMENTS}.decoder", "absent")
        keys.refuse(given, f"is no decoder that can be trained on embeddings here{nearest(name, _HEADS)}; there are "
                           f"{', '.join(_HEADS)}")  # fmt: skip
        name = "LinearDecoder"
    elif name == "FCNDecoder":
        keys.read_as(
            named,
            "head: conv, a convolutional head; predictions lie on all pixels of the label, none is cropped",
        )
    else:
        keys.read_as(named, f"head: {_HEADS[name]}, a patch at a time")
    made: dict[str, Any] = {"name": _HEADS[name], "hidden": _hidden(keys, name)}
    dropout = keys.take(f"{_ARGUMENTS}.head_dropout")
    share = number(dropout.value) if dropout is not None else 0.0
    if dropout is not None and (share is None or not 0 <= share < 1):
        keys.refuse(dropout, "must be a share from 0 to below 1")
    elif dropout is not None:
        keys.read_as(dropout, f"head.dropout: {share:g}")
    return made | {"dropout": share or 0.0}, _augment(keys, _HEADS[name])


def _augment(keys: Keys, head_name: str) -> str:
    return "flips" if embeddings.transforms(keys) and head_name == "conv" else "none"


def _hidden(keys: Keys, name: str) -> list[int]:
    """Widths of the hidden layers, with those of TerraTorch's head after them."""
    channels = keys.take(f"{_ARGUMENTS}.decoder_channels")
    convolutions = keys.take(f"{_ARGUMENTS}.decoder_num_convs")
    listed = keys.take(f"{_ARGUMENTS}.head_channel_list")
    width = integer(channels.value) if channels is not None else _DEFAULT_CHANNELS
    count = integer(convolutions.value) if convolutions is not None else _DEFAULT_CONVOLUTIONS
    extra = [] if listed is None or listed.is_none else [integer(one) for one in listed.value]
    if name == "LinearDecoder":
        for found in (channels, convolutions, listed):
            if found is not None:
                keys.ignore(found, "a linear head has no hidden layer")
        return []
    if not width or not count or not all(extra) or width < 1 or count < 1:
        for found in (channels, convolutions, listed):
            if found is not None:
                keys.refuse(found, "must be whole numbers above 0")
        return [_DEFAULT_CHANNELS]
    hidden = ([width] * (count if name == "FCNDecoder" else 1) + [one for one in extra if one])[:_MOST_HIDDEN]
    for found in (channels, convolutions, listed):
        if found is not None:
            keys.read_as(found, f"head.hidden: {', '.join(map(str, hidden))}")
    for other in ("decoder_kernel_size", "decoder_concat_input", "decoder_in_index"):
        rest = keys.take(f"{_ARGUMENTS}.{other}")
        if rest is not None:
            keys.not_honour(rest, "convolutions see 3 x 3 patches of all dimensions")
    return hidden


def _backbone(keys: Keys, files: Files) -> None:
    found = keys.take(f"{_ARGUMENTS}.backbone")
    if found is None or str(found.value).removeprefix("terratorch_") != "IdentityBackbone":
        keys.refuse(
            found or Found(f"{_ARGUMENTS}.backbone", "absent"),
            "must be IdentityBackbone: a decoder is trained on embeddings that are there. Make them with "
            "`python -m engine extract` first",
        )
    else:
        keys.read_as(found, "the embeddings of the files")
    width = keys.take(f"{_ARGUMENTS}.backbone_out_channels")
    if width is None:
        return
    asked = width.value if isinstance(width.value, list) else [width.value]
    if files.shape is not None and [integer(one) for one in asked] != [files.shape[0]]:
        keys.refuse(width, f"is not what the files hold: {files.shape[0]} dimensions")
    else:
        keys.ignore(width, "dimensions are counted from the files")


def _necks(keys: Keys) -> None:
    found = keys.take(f"{_ARGUMENTS}.necks")
    if found is None or found.is_none or found.value == []:
        if found is not None:
            keys.ignore(found, "there is none")
        return
    steps = found.value if isinstance(found.value, list) else [found.value]
    named = [str(one.get("name", one) if isinstance(one, dict) else one) for one in steps]
    keys.refuse(found, f"changes embeddings by {', '.join(named)}; they are read as they lie in the files")
