"""The stores of a leaderboard, opened or made, checked against each other, and divided alike."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import BadInput, ConfigError
from engine.extraction.extract import store_folder
from engine.extraction.plan import make_plan
from engine.extraction.weights.store_encoder import cells_of as grid_cells
from engine.extraction.weights.store_encoder import layers_of
from engine.jobs.configuration.config import ExtractConfig, LeaderboardConfig
from engine.jobs.configuration.leaderboard import Position
from engine.jobs.event_log import read_events
from engine.jobs.events import Event, ExtractDone, Noticed, StepStarted
from engine.learning.heads.sizes import shape_of
from engine.learning.heads.table import check_head
from engine.learning.keeping.card import encoder_facts
from engine.learning.leaderboard.same_ground import aligned, apart_from, matched_places, shared_places
from engine.learning.leaderboard.shared_ground.division import Divided, Judged
from engine.learning.leaderboard.shared_ground.opening import open_shared
from engine.learning.positions import measure_positions
from engine.learning.preparation import Prepared, prepare, with_baselines
from engine.store.schema import StoreMeta
from engine.store.store import EmbeddingStore

Asked = tuple[str | ExtractConfig, ...]


@dataclass(frozen=True)
class Entry:
    """One store of a leaderboard.

    Attributes:
        title: its backbone, and what tells it from others of the same backbone.
        prepared: with all layers and position kept; on the board, divided as the first store is.
        is_on_board: False for a store of the matrix alone.
        judged: on shared ground, the pixels that are judged by the number of a test tile; None: all labels of its own pixels.
        extract_seconds: how long it took to make; None where nothing tells.
        size_bytes: of its files; None where they are others' and read in place.
    """

    title: str
    prepared: Prepared
    is_on_board: bool
    extract_seconds: float | None
    size_bytes: int | None
    judged: Mapping[int, Judged] | None = None

    @property
    def store(self) -> EmbeddingStore:
        """The store."""
        return self.prepared.store


def open_entries(config: LeaderboardConfig, root: Path) -> Generator[Event, None, list[Entry]]:
    """Open every store, make those that are not there, and divide them alike.

    Raises:
        BadInput: a store, its labels or its ground cannot be used, or two stores hold the same.
    """
    asked = config.stores + config.travel_stores
    _require_whole(asked, root)
    yield from _plan_all(asked, root)
    opened = yield from (_on_shared_ground if config.ground == "shared" else _on_same_ground)(
        config, asked, root
    )
    titles = titles_of([one.prepared.store for one in opened])
    return [
        Entry(title, one.prepared, number < len(config.stores), _seconds(one.prepared.store), _size(one.prepared.store), one.judged)
        for number, (title, one) in enumerate(zip(titles, opened, strict=True))
    ]  # fmt: skip


def _on_shared_ground(
    config: LeaderboardConfig, asked: Asked, root: Path
) -> Generator[Event, None, list[Divided]]:
    """The stores on the labelled ground that all of them have."""
    opened = yield from open_shared(config, asked, root)
    for number in range(len(opened)):
        _require_another([one.prepared for one in opened[: number + 1]])
        _require_heads(config, opened[number].prepared)
        yield from _lacking_layers(config, opened[number].prepared)
    return opened


def _on_same_ground(
    config: LeaderboardConfig, asked: Asked, root: Path
) -> Generator[Event, None, list[Divided]]:
    """The stores on the places that all of them have."""
    opened: list[Prepared] = []
    for number, store in enumerate(asked):
        training = config.training_of(store, config.heads[0], config.seeds[0], None, "keep")
        prepared = yield from prepare(training, root)
        if not number:  # the baselines' pixels are those of the first store
            prepared = yield from with_baselines(training, prepared, root)
        opened.append(prepared)
        _require_another(opened)
    yield from _divided_alike(config, opened)
    for prepared in opened:
        _require_heads(config, prepared)
        yield from _lacking_layers(config, prepared)
    return [Divided(prepared, None) for prepared in opened]


def _divided_alike(config: LeaderboardConfig, opened: list[Prepared]) -> Iterator[Event]:
    """Give the stores of the board one division, in place; what they do not share is left out, and told."""
    reference, split, number = opened[0], config.training.split, len(config.stores)
    places = [matched_places(reference, one, split) for one in opened[1:number]]
    shared = shared_places(reference, places)
    every = len(np.unique(reference.split.places))
    if len(shared) < every:
        yield Noticed(
            f"{every - len(shared)} of the {every} places are not in every store, and are left out."
        )
    own = [reference.split.places, *places]
    opened[:number] = [
        aligned(one, reference, of_tiles, shared, split)
        for one, of_tiles in zip(opened[:number], own, strict=True)
    ]
    for index in range(number, len(opened)):
        opened[index], left_out = apart_from(opened[index], opened[:index], split)
        if left_out:
            yield Noticed(
                f"{left_out} tile(s) of {opened[index].store.folder} are left out: no decoder is tested on ground that it "
                f"learned from."
            )


def variant(prepared: Prepared, layers: tuple[int, ...], position: Position) -> Prepared:
    """The same store with other layers or position.

    Raises:
        ConfigError, StoreError: layers that it lacks, or position that cannot be told.
    """
    store = prepared.store
    cells = grid_cells(store.meta, layers)
    widths = dict(zip(store.meta.layers, store.meta.dims, strict=True))
    shape = shape_of(prepared.task, [widths[layer] for layer in layers], cells, store.meta.patch_px)
    positions = (
        measure_positions(store, layers, prepared.split.tiles["train"]) if position == "remove" else None
    )
    return replace(prepared, layers=layers, cells=cells, shape=shape, positions=positions)


def layer_sets(config: LeaderboardConfig, prepared: Prepared) -> tuple[tuple[int, ...], ...]:
    """The sets of layers of a store's rows, each once; those that it lacks are left out.

    Raises:
        BadInput: it has none of those that are asked for.
    """
    meta, found, lacking = prepared.store.meta, dict[tuple[int, ...], None](), list[BadInput]()
    for asked in config.layers:
        try:
            found |= dict.fromkeys(
                [(layer,) for layer in meta.layers] if asked == "each" else [layers_of(meta, asked)]
            )
        except BadInput as err:
            lacking.append(err)
    if not found:
        raise lacking[0]
    return tuple(found)


def are_read_alike(one: Entry, other: Entry) -> bool:
    """Whether a decoder of one store can read the other: the same encoder, patches and layers."""
    keys = ["backbone", "weights_sha256", "settings", "patch_px", "temporal"]
    if one.store.meta.weights_sha256 == "none":  # bands as they are: only the same ones mean the same
        keys.append("bands")
    own, theirs = encoder_facts(one.store.meta), encoder_facts(other.store.meta)
    same_layers = (one.store.meta.layers, one.store.meta.dims) == (
        other.store.meta.layers,
        other.store.meta.dims,
    )
    return same_layers and all(own[key] == theirs[key] for key in keys)


def titles_of(stores: list[EmbeddingStore]) -> list[str]:
    """The backbone of each store, with what tells it from the others of its backbone."""
    found = []
    for store in stores:
        same = [other for other in stores if other.meta.backbone == store.meta.backbone]
        own = _facts(store.meta)
        told = [
            value
            for key, value in own.items()
            if value and len({str(_facts(other.meta)[key]) for other in same}) > 1
        ]
        if len(same) > 1 and not told:
            told = [store.folder.parent.name]
        found.append(" · ".join([store.meta.backbone, *told]))
    return [
        title if found.count(title) == 1 else f"{title} · {number + 1}" for number, title in enumerate(found)
    ]


def _facts(meta: StoreMeta) -> dict[str, str]:
    """What may tell two stores of one backbone apart, in words."""
    weights = "random weights" if meta.is_random else f"weights {meta.weights_sha256[:8]}"
    tiles = meta.config.get("tiles", {})
    return {
        "weights": weights, "sensor": meta.sensor, "level": meta.level, "layers": f"layers {', '.join(map(str, meta.layers))}",
        "patch": f"patches of {meta.patch_px} px", "gsd": f"{meta.gsd_m:g} m", "size": f"tiles of {tiles.get('size_px')} px" if tiles.get("size_px") else "",
        "overlap": f"overlap {tiles['overlap_px']} px" if tiles.get("overlap_px") else "",
        "dtype": meta.dtype, "date": str(meta.config.get("scene", {}).get("date") or ""),
    }  # fmt: skip


def _require_whole(asked: Asked, root: Path) -> None:
    """Check the stores that are there before any is made.

    Raises:
        StoreError: one is absent, unfinished or damaged.
    """
    for one in asked:
        if isinstance(one, str):
            given = Path(one).expanduser()
            EmbeddingStore.open(given if given.is_absolute() or given.exists() else root / given)
        elif store_folder(one, root).is_dir():
            EmbeddingStore.open(store_folder(one, root))


def _plan_all(asked: Asked, root: Path) -> Iterator[Event]:
    """Plan every store that has to be made before the first is: what a plan refuses is told within seconds.

    Raises:
        BadInput: one of them cannot be made.
    """
    missing = [
        one for one in asked if isinstance(one, ExtractConfig) and not store_folder(one, root).is_dir()
    ]
    if len(missing) < 2:
        return
    yield StepStarted("Planning every extraction before the first begins")
    for one in missing:
        yield from (StepStarted(step) for step in one.scene.prepare(root))
        make_plan(one, root)


def _require_another(opened: list[Prepared]) -> None:
    """Check that the last store holds something else than those before it.

    Raises:
        ConfigError: it is one of them, or an extraction of the same.
    """
    last = opened[-1].store
    for other in (one.store for one in opened[:-1]):
        is_same = last.folder.resolve() == other.folder.resolve()
        if is_same or (last.meta.config_hash, last.meta.scene_fingerprints) == (
            other.meta.config_hash,
            other.meta.scene_fingerprints,
        ):
            raise ConfigError(
                f"{last.folder} and {other.folder} hold the same embeddings of {last.meta.backbone}. Leave one of them out."
            )


def _require_heads(config: LeaderboardConfig, prepared: Prepared) -> None:
    """Check that every head can take every set of layers.

    Raises:
        ConfigError: naming the store, the head and the layers.
    """
    for layers in layer_sets(config, prepared):
        shape = variant(prepared, layers, "keep").shape
        for head in config.heads:
            try:
                check_head(head, shape)
            except ConfigError as err:
                raise ConfigError(f"{prepared.store.meta.backbone}: {err}") from err


def _lacking_layers(config: LeaderboardConfig, prepared: Prepared) -> Iterator[Event]:
    """Which of the asked layers a store has no row of."""
    meta = prepared.store.meta
    for asked in config.layers:
        if isinstance(asked, tuple):
            try:
                layers_of(meta, asked)
            except BadInput as err:
                yield Noticed(f"{meta.backbone} has no row of layers {', '.join(map(str, asked))}: {err}")


def _seconds(store: EmbeddingStore) -> float | None:
    """How long the extraction of a store took, from its run folder."""
    done = [event.seconds for _, event in read_events(store.folder.parent) if isinstance(event, ExtractDone)]
    return done[-1] if done else None


def _size(store: EmbeddingStore) -> int | None:
    return None if store.is_in_place else store.bytes_on_disk
