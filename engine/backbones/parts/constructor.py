"""Constructor arguments of an adapter, read from a card or from a golden case's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError, MissingBand
from engine.nearest import nearest

T = TypeVar("T")
_ABSENT = object()


def argument(config: Mapping[str, object], name: str, kind: type[T], default: object = _ABSENT) -> T:
    """One constructor argument, checked for its type (an int serves as a float, a tuple as a list).

    Raises:
        BackboneError: it is absent without a default, or of another type.
    """
    value = config.get(name, default)
    if value is _ABSENT:
        raise BackboneError(
            f"The encoder argument {name!r} is absent; given are {', '.join(config) or 'none'}. Add it."
        )
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is list and isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, kind):
        raise BackboneError(
            f"The encoder argument {name!r} is {value!r} and must be of type {kind.__name__}. Correct it."
        )
    return value


def band_indices(spec: BackboneSpec, known: Sequence[str], asked: Sequence[str] | None) -> list[int]:
    """Indices of the bands asked for among the checkpoint's, by name.

    Raises:
        MissingBand: the checkpoint has no weights for a band.
    """
    if asked is None:
        return list(range(len(known)))
    for name in asked:
        if name not in known:
            raise MissingBand(
                f"{spec.name} has weights for {', '.join(known)}; {name!r} was asked for{nearest(name, known)}. "
                f"Leave it out, or take a backbone that reads bands by wavelength."
            )
    return [list(known).index(name) for name in asked]
