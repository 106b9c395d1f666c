"""The choices that upstream leaves open: each is a setting with a default on the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.backbones.spec import BackboneSpec
from engine.errors import BackboneError
from engine.nearest import nearest


def chosen(spec: BackboneSpec, settings: Mapping[str, str], open_ended: Sequence[str] = ()) -> dict[str, str]:
    """Every setting of the card with its value: the one given, or the card's default.

    Args:
        open_ended: settings whose values are not limited to the card's choices.

    Raises:
        BackboneError: a setting or a value that the card does not offer.
    """
    for name, value in settings.items():
        if name not in spec.settings:
            known = ", ".join(spec.settings) or "none"
            raise BackboneError(
                f"a setting of {spec.name} was wanted, found {name!r}{nearest(name, spec.settings)}. Its settings: {known}."
            )
        if name not in open_ended and value not in spec.settings[name]:
            raise BackboneError(
                f"{spec.name}: {name} was wanted as one of {', '.join(spec.settings[name])}; found {value!r}. "
                f"Set backbone.settings.{name} to one of them."
            )
    return {name: settings.get(name, choices[0]) for name, choices in spec.settings.items()}
