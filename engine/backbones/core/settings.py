"""Settings of a card and bands of a scene, checked against what the card offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.nearest import nearest


def settle(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, str]:
    """Every setting of a card with its value: as given, or the default.

    Raises:
        BackboneError: a setting or a value that the card does not offer.
    """
    for key, value in settings.items():
        if key not in spec.settings:
            offered = ", ".join(spec.settings) or "none"
            raise BackboneError(
                f"{spec.name} has no setting {key!r}{nearest(key, spec.settings)}; it has {offered}. "
                f"Correct backbone.settings."
            )
        if str(value) not in spec.settings[key]:
            raise BackboneError(
                f"{spec.name} does not offer {value!r} for its setting {key}, which is one of "
                f"{', '.join(spec.settings[key])}. Correct backbone.settings.{key}."
            )
    return {key: str(settings.get(key, choices[0])) for key, choices in spec.settings.items()}


def scene_bands(spec: BackboneSpec, bands: Sequence[str] | None) -> tuple[str, ...]:
    """The scene's bands, for a backbone that takes its bands from the scene.

    Raises:
        BackboneError: none were given.
    """
    if not bands:
        raise BackboneError(
            f"{spec.name} takes its bands from the scene, and no band was given. Name the bands."
        )
    return tuple(bands)
