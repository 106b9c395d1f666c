"""What a plan refuses before the first pixel is read, and what it tells of settings that do less than they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError, ConfigError, MissingBand, SceneError
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import HLS_BANDS
from engine.imagery.tiles.windows import PlannedTile, Tiling
from engine.jobs.configuration.config import TilesConfig


def require_bands(
    spec: BackboneSpec, scenes: Sequence[Scene], available: Sequence[str], masks_clouds: bool
) -> None:
    """Refuse scenes without the bands that the backbone, and the cloud mask where it is asked for, need.

    Raises:
        MissingBand: naming backbones that fit.
    """
    missing = cards.missing_bands(spec, available)
    if missing:
        fits = [other for other in cards.CARDS.values() if not cards.missing_bands(other, available)]
        # Those that come with the installation first.
        fitting = [
            other.name
            for other in sorted(fits, key=lambda other: other.weights.kind not in ("package", "none"))
        ]
        raise MissingBand(
            f"{spec.name} needs band {', '.join(map(repr, missing))}; {scenes[0].id} has {', '.join(available)}. "
            f"Backbones that fit it: {', '.join(fitting[:6])}."
        )
    if masks_clouds:
        for scene in scenes:
            scene.require(HLS_BANDS, "The cloud mask")


def require_pooling(spec: BackboneSpec, pooling: str | None) -> None:
    """Refuse a pooling that the backbone cannot give.

    Raises:
        BackboneError: naming those that it can give.
    """
    if pooling is not None and pooling not in spec.pooling:
        raise BackboneError(f"{spec.name} cannot pool by {pooling}. Choose {' or '.join(spec.pooling)}.")


def require_dates(spec: BackboneSpec, temporal: str, tiles: Sequence[PlannedTile]) -> None:
    """Refuse numbers of dates that the backbone, or the way they are joined, cannot take.

    Raises:
        SceneError: tiles differ in their number of dates.
        BackboneError: too many dates.
        ConfigError: a difference of other than two dates.
    """
    counts = sorted({len(item.scenes) for item in tiles})
    joins_itself = spec.max_frames > 1
    if len(counts) > 1 and (joins_itself or temporal != "keep"):
        raise SceneError(
            f"The tiles of these scenes differ in their number of dates ({', '.join(map(str, counts))}). Choose scenes "
            f"that cover the same ground, or a backbone of single images with backbone.temporal: keep."
        )
    if joins_itself and counts[0] > spec.max_frames:
        raise BackboneError(
            f"{spec.name} takes up to {spec.max_frames} dates at once; these scenes have {counts[0]}. Choose fewer dates."
        )
    if temporal == "difference" and (counts[0] == 1 or (counts[0] != 2 and not joins_itself)):
        raise ConfigError(
            f"backbone.temporal: difference needs two dates; these scenes have {counts[0]}. "
            f"Choose two dates, or another backbone.temporal."
        )


def window_notes(spec: BackboneSpec, tiles: Sequence[PlannedTile]) -> Iterator[str]:
    """Windows that are much larger than those that the backbone learned from."""
    side = max(max(item.window.height, item.window.width) for item in tiles)
    if spec.largest_window_px is not None and side > spec.largest_window_px:
        yield (
            f"{spec.title} is shown windows of {side} px, and learned from smaller ones: its embeddings may be worse, and take "
            f"longer. Set tiles.size_px to {spec.chip_px}, or to {spec.largest_window_px} at most."
        )


def layer_notes(spec: BackboneSpec, asked: Sequence[int], patch_px: int, cell_px: int) -> Iterator[str]:
    """Layers asked for whose patches are smaller than a row."""
    strides = {layer: spec.stride_px(layer) for layer in asked}
    finer = {layer: stride for layer, stride in strides.items() if stride < patch_px}
    if finer:
        named = ", ".join(f"{layer} ({stride} px)" for layer, stride in finer.items())
        shown = (
            "maps show each at its place, and a decoder reads them together."
            if cell_px == patch_px
            else f"with tiles.stride_px a map shows them as one embedding of {cell_px} px. Extract a layer alone to see its own."
        )
        yield (
            f"A row is a patch of {patch_px} px, as in the coarsest layer asked for; of finer layers, {named}, the patches inside "
            f"it stand side by side in the row: {shown}"
        )


def date_notes(spec: BackboneSpec, temporal: str, tiles: Sequence[PlannedTile]) -> Iterator[str]:
    """Where backbone.temporal changes nothing."""
    dates = max(len(item.scenes) for item in tiles)
    if dates > 1 and spec.max_frames > 1:
        yield f"{spec.title} takes all {dates} dates at once: backbone.temporal ({temporal}) has no effect."
    if dates == 1 and temporal != "mean":
        yield f"backbone.temporal ({temporal}) has no effect: these scenes have one date."


def scene_notes(spec: BackboneSpec, scenes: Sequence[Scene]) -> Iterator[str]:
    """What was assumed of scenes, alike notes once; and a processing level that the backbone did not learn from."""
    alike: dict[str, list[str]] = {}
    for scene in scenes:
        for note in scene.notes:
            alike.setdefault(_without_names(note, scene), []).append(note)
    for found in alike.values():
        more = f" (and {len(found) - 1} more like it)" if len(found) > 1 else ""
        yield found[0].removesuffix(".") + more + "."
    unread = [band for band in scenes[0].bands if band in spec.unread_bands]
    if unread:
        yield f"{spec.title} does not read {', '.join(unread)}: it takes bands by their wavelength, and these have none."
    yield from _level_notes(spec, scenes)


def _level_notes(spec: BackboneSpec, scenes: Sequence[Scene]) -> Iterator[str]:
    """That a backbone did not learn from the level of some scenes, and how many these are."""
    if spec.level not in ("surface", "top of atmosphere"):
        return
    levels = [scene.level for scene in scenes if scene.sensor.quantity == "reflectance" and scene.level]
    others = [str(level) for level in levels if level != spec.level]
    if not others:
        return
    named = " and ".join(sorted(set(others)))
    if len(others) == len(scenes):
        yield (
            f"{spec.title} learned from {spec.level} reflectance; these scenes are {named} reflectance. "
            f"Embeddings may differ from those it was trained to give."
        )
    else:
        yield (
            f"{len(others)} of {len(scenes)} scenes are {named} reflectance, and {spec.title} learned from {spec.level} "
            f"reflectance: their embeddings are somewhat shifted. A decoder that is taught on both kinds learns from both."
        )


def _without_names(note: str, scene: Scene) -> str:
    """A note with what names its scene taken out."""
    for name in (*(path.name for path in scene.paths), *(path.stem for path in scene.paths), scene.id):
        note = note.replace(name, "*")
    return note


def notes(asked: TilesConfig, tiling: Tiling, tiles: Sequence[PlannedTile]) -> Iterator[str]:
    """Where tiles are not what was asked for, because patches stay whole."""
    patch = tiling.patch_px
    for key, found in (("size_px", asked.size_px or 0), ("overlap_px", asked.overlap_px)):
        if found != tiling.whole(found):
            yield f"tiles.{key} is {tiling.whole(found)} px, not {found}: whole patches of {patch} px."
    chips = [scene for item in tiles for scene in item.scenes if scene.is_chip]
    if any(scene.height % patch or scene.width % patch for scene in chips) and tiling.size_px is None:
        yield f"Chips are rounded up to whole patches of {patch} px; an encoder sees mirrored pixels beyond a chip."
    if asked.overlap_px and tiling.size_px is None:
        yield "tiles.overlap_px has no effect: each chip is seen whole. Set tiles.size_px to cut the chips."
