"""A finished map in its folder: the raster of probabilities and what is said of it, read without torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from engine.errors import EngineError, JobError, StoreError
from engine.files import read_json
from engine.jobs.configuration.apply import Adapt
from engine.jobs.configuration.task import configured_task
from engine.learning.keeping.card import DecoderCard
from engine.learning.keeping.result import TrainRun, write_json
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Ramp, Task
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import store_tags
from engine.views.maps.probability_map import ClassStyle, hectares_above, hectares_by_step

FACTS, PROBABILITY, VALUES = "map.json", "probability.tif", "values.tif"
# Colour below the threshold where a class is mapped on its own: the ground beneath shows.
_CLEAR = (0, 0, 0, 0)


@dataclass(frozen=True)
class MapFacts:
    """What is said of a map.

    Attributes:
        title: of the ground.
        store, decoder: their folders.
        task: as in the decoder's card.
        dates: ISO 8601 days of the scenes, each once, in order; empty where the source states none.
        source: of the scenes; taught_on: of the training data of the decoder, or of all that were averaged.
        is_simulated: the ground; is_taught_on_simulated: what a decoder learned from, None where that is not known.
        hectares: value of a class -> hectares at each step of its probability.
        notes: what a person should know of how it was made.
        ensemble: folders of the other decoders whose probabilities were averaged with the first one's.
        adapt: how the decoders were adapted to this ground.
        of_class: value of the class whose probability is mapped, where a tile may have several; None: all classes.
        numbers: of a task of numbers mean, standard deviation, least and greatest of the map, and the hectares that it covers.
    """

    title: str
    store: str
    decoder: str
    head: str
    backbone: str
    task: str | dict[str, Any]
    dates: tuple[str, ...]
    source: str
    taught_on: str
    gsd_m: float
    is_simulated: bool
    is_random: bool
    hectares: Mapping[int, list[float]]
    notes: tuple[str, ...] = ()
    ensemble: tuple[str, ...] = ()
    is_taught_on_simulated: bool | None = None
    adapt: Adapt = "none"
    of_class: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def members(self) -> int:
        """Decoders whose probabilities were averaged; 1: one decoder's own."""
        return 1 + len(self.ensemble)

    @property
    def taught(self) -> Task:
        """The task of the decoder."""
        return task_of(configured_task(self.task))

    @property
    def is_of_numbers(self) -> bool:
        """Whether the map holds numbers, in `VALUES`, and not classes with their probability, in `PROBABILITY`."""
        return not self.taught.classes

    @property
    def style(self) -> ClassStyle:
        """How the classes are written."""
        return class_style(self.taught, self.of_class)

    @property
    def ramp(self) -> Ramp:
        """The colour bar of a map of numbers."""
        found = self.taught.prediction_style.ramp
        assert found is not None, "a task of numbers has a colour bar"
        return found

    @property
    def quantity(self) -> str:
        """What is mapped: the classes that are looked for, or the quantity with its unit."""
        if self.is_of_numbers:
            return self.ramp.title
        *most, last = self.style.sought.values()
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def usual_hectares(self) -> dict[str, float]:
        """Hectares of each class above the usual threshold, by name; none where numbers are mapped."""
        return {} if self.is_of_numbers else self.hectares_above(self.style.default_threshold)

    @property
    def taught_tags(self) -> dict[str, str]:
        """What files made of the map say of the decoder's training data."""
        return taught_tags(self.taught_on, self.is_taught_on_simulated) | adapt_tags(self.adapt)

    def hectares_above(self, threshold: float) -> dict[str, float]:
        """Hectares of each class above a threshold, by name."""
        return hectares_above(self.hectares, self.style.sought, threshold)


def taught_tags(taught_on: str, is_simulated: bool | None) -> dict[str, str]:
    """Tags that tell what a decoder learned from, beside those that tell of the ground."""
    told = {True: "yes", False: "no", None: "not stated"}[is_simulated]
    return {
        "EMBERSCOPE_DECODER_SIMULATED": told,
        "EMBERSCOPE_DECODER_TAUGHT_ON": taught_on or "not stated",
    }


def adapt_tags(adapt: Adapt) -> dict[str, str]:
    """A tag of a map whose decoder was adapted to its ground; none where it was not."""
    return {} if adapt == "none" else {"EMBERSCOPE_ADAPT": adapt}


def own_ground_tags(card: DecoderCard) -> dict[str, str]:
    """Tags of a map of the ground that a decoder was taught and tested on."""
    return {
        "EMBERSCOPE_BACKBONE": card.backbone,
        "EMBERSCOPE_WEIGHTS": "random (an untrained encoder)" if card.is_random else card.weights_sha256,
        "EMBERSCOPE_SIMULATED": "yes" if card.is_simulated else "no",
        "EMBERSCOPE_SOURCE": card.source or "not stated",
        **taught_tags(card.source, card.is_simulated),
    }


def map_tags(store: EmbeddingStore, cards: Sequence[DecoderCard], adapt: Adapt = "none") -> dict[str, str]:
    """Tags of a map of a store: what they say of its ground, and of what the decoders learned from."""
    taught = taught_tags(sources_of(cards), any(card.is_simulated for card in cards))
    ground = {"EMBERSCOPE_SOURCE": store.meta.source or "not stated"}
    return store_tags(store, cards[0].layers[0]) | ground | taught | adapt_tags(adapt)


def sources_of(cards: Sequence[DecoderCard]) -> str:
    """The sources of the training data of decoders, each once; empty where none is stated."""
    return "; ".join(dict.fromkeys(card.source for card in cards if card.source))


def mapped_classes(task: Task) -> tuple[int | None, ...]:
    """What is a map of its own: None for all classes (or numbers) on one; each class where a tile may have several."""
    return tuple(one.value for one in task.classes) if has_several(task) else (None,)


def has_several(task: Task) -> bool:
    """Whether each class is asked on its own: is it there?"""
    return task.link == "logit" and task.values > 1


def class_style(task: Task, of_class: int | None = None) -> ClassStyle:
    """How a task's classes, or one of them, are written above and below a threshold.

    Raises:
        StoreError: the task gives numbers, or several classes at once and none of them is asked for.
    """
    if not task.classes or (has_several(task) and of_class is None):
        what = "several classes at once" if task.classes else "numbers"
        raise StoreError(
            f"A decoder of {task.name} gives {what}, so there is no threshold that cuts its map into one class and another."
        )
    if of_class is not None:
        return _style_of_one(task, of_class)
    other = task.classes[0] if len(task.classes) == 2 else None
    shown = task.prediction_style
    return ClassStyle(
        task.sought, other.value if other else None, other.title if other else "", shown.colours, shown.band_name
    )  # fmt: skip


def _style_of_one(task: Task, value: int) -> ClassStyle:
    """Where one class is, and where it is not."""
    shown, title = task.prediction_style, next(one.title for one in task.classes if one.value == value)
    other = next(one for one in range(255) if one != value)
    colours = {value: shown.colours[value], other: _CLEAR}
    return ClassStyle({value: title}, other, f"no {title}", colours, shown.band_name)


def facts_of(
    store: EmbeddingStore, cards: Sequence[DecoderCard], decoders: Sequence[Path], folder: Path, notes: tuple[str, ...],
    date: str = "", only: Collection[str] | None = None, title: str = "", adapt: Adapt = "none",
    of_class: int | None = None, numbers: Mapping[str, float] | None = None,
) -> MapFacts:  # fmt: skip
    """The facts of a map that was just written into a folder.

    Args:
        date, only, title, adapt, of_class: as in `apply.map_store`.
        numbers: of a map of numbers.
    """
    meta, card = store.meta, cards[0]
    tiles = [tile for tile in store.tiles if only is None or tile.id in only]
    days = sorted({time[:10] for tile in tiles for time in tile.datetimes if time})
    heads = dict.fromkeys(one.head_config.name for one in cards)
    named = "" if of_class is None else f": {class_style(card.taught, of_class).sought[of_class]}"
    return MapFacts(
        title=(title or _title(store)) + (f", {date}" if date else "") + named, store=str(store.folder), decoder=str(decoders[0]),
        head=" and ".join(heads), ensemble=tuple(map(str, decoders[1:])),
        backbone=card.backbone, task=card.task, dates=tuple(days), source=meta.source, taught_on=sources_of(cards),
        gsd_m=meta.gsd_m, is_simulated=meta.is_simulated, is_random=meta.is_random,
        hectares={} if numbers else hectares_by_step(folder / PROBABILITY), notes=notes, adapt=adapt,
        of_class=of_class, numbers=dict(numbers or {}),
        is_taught_on_simulated=any(one.is_simulated for one in cards),
    )  # fmt: skip


def write_facts(folder: Path, facts: MapFacts) -> None:
    """Write map.json, which says that the map beside it is complete."""
    write_json(folder / FACTS, asdict(facts))


def read_map(folder: Path) -> MapFacts:
    """The facts of a finished map.

    Raises:
        JobError: the folder holds none, or it is damaged.
    """
    try:
        tree = read_json(folder / FACTS)
        # Maps of earlier versions are of one decoder, as taught, and do not say what it was taught on.
        tree = {"ensemble": [], "adapt": "none", "of_class": None, "numbers": {}, **tree}
        if "is_taught_on_simulated" not in tree:
            tree["is_taught_on_simulated"] = _is_simulated(tree)
        known = {one.name: tree[one.name] for one in fields(MapFacts)}
        known["hectares"] = {int(value): found for value, found in tree["hectares"].items()}
        known |= {key: tuple(tree[key]) for key in ("dates", "notes", "ensemble")}
    except FileNotFoundError as err:
        raise JobError(
            f"{folder} holds no finished map. Make one on the Apply page, or with `python -m engine apply`."
        ) from err
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise JobError(f"{folder / FACTS} is damaged and cannot be read. Make the map again.") from err
    return MapFacts(**known)


def _title(store: EmbeddingStore) -> str:
    """What the scenes of a store are called."""
    scene = store.meta.config.get("scene", {})
    if scene.get("source") == "simulated":
        return f"Simulated fire season {scene.get('seed', 0)}"
    path = scene.get("path") or (scene.get("paths") or [""])[0]
    return " ".join(Path(str(path)).stem.replace("_", " ").split()) or store.folder.parent.name


def _is_simulated(tree: Mapping[str, Any]) -> bool | None:
    """Whether a decoder of a map of an earlier version learned from simulated scenes; None where one has gone."""
    try:
        cards = [TrainRun.open(Path(one)).decoder for one in (tree["decoder"], *tree["ensemble"])]
    except EngineError:
        return None
    return any(card.is_simulated for card in cards)
