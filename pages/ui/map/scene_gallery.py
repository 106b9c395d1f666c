"""The scenes of an imagery layer side by side at the foot of the map, each with what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.imagery.scene import Scene
from pages.ui.look.wording import date
from pages.ui.map import layers
from pages.ui.map.maps import Shown
from pages.ui.map.routes import galleries


@dataclass(frozen=True)
class Scores:
    """How well scenes were mapped.

    Attributes:
        words: by the id of a scene, the worst first.
        by: the decoder that mapped them; empty where the page says it.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    by: str = ""


NO_SCORES = Scores()


def with_gallery(
    shown: list[Shown], scenes: Sequence[Scene], scores: Scores = NO_SCORES, *, is_worst_first: bool = False
) -> list[Shown]:
    """The imagery with its scenes side by side at the foot of the map, where there are several.

    Args:
        shown: of `layers.imagery(scenes, ...)`.
        is_worst_first: in the order of the scores, those without one last.
    """
    if not shown or len(scenes) < 2:
        return shown
    items = tuple(
        galleries.Item(
            scene.id, layers.scene_words(scene), date(scene.datetime), index, layers.bounds_of([scene]), scene.cloud_pct,
            scene.split, scene.mask_path, scores.words.get(scene.id, ""),
        )
        for index, scene in enumerate(scenes)
    )  # fmt: skip
    is_worst_first = is_worst_first and len(scores.words) > 1
    if is_worst_first:
        rank = {name: number for number, name in enumerate(scores.words)}
        items = tuple(sorted(items, key=lambda item: rank.get(item.id, len(rank))))
    has_labels = any(scene.mask_path for scene in scenes)
    token = galleries.register(
        galleries.Gallery(shown[0].token, items, has_labels, scores.by, is_worst_first)
    )
    return [replace(shown[0], gallery=token), *shown[1:]]
