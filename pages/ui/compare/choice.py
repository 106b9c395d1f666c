"""What is compared: two to four stores, each with a layer and a date; the address carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import has_several_dates
from engine.views.health.words import GOOD_POSITION, usual_position
from pages.ui.compare import data
from pages.ui.jobs import chosen_run
from pages.ui.state import address, bound, cached, results

MOST = 4
# The address: run~layer~date of each, with commas between them.
_KEY, _PART, _BETWEEN = "compare", "~", ","


@dataclass(frozen=True)
class Slot:
    """One of the stores that are compared.

    Attributes:
        number: from 0.
        date: as `dated` takes it; None where the store has one date of each ground.
        position: whether the mean of each place in the window is taken off.
    """

    number: int
    facts: cached.JobFacts
    store: EmbeddingStore
    layer: int
    date: str | None
    position: str

    @property
    def title(self) -> str:
        """What its map is called."""
        date = f", {self.date}" if self.date else ""
        return f"{self.store.meta.backbone}, layer {self.layer}{date}"


def choose(stores: Sequence[cached.JobFacts], row: st.delta_generator.DeltaGenerator) -> list[Slot]:
    """Ask for the stores, side by side; what is chosen goes into the address.

    Args:
        row: where it is asked how many.
    """
    linked = _linked(stores)
    with row:
        count = st.segmented_control(
            "Maps", [2, 3, 4], default=max(2, min(MOST, len(linked))), required=True, key="compare_count"
        )
        takes_off = st.toggle(
            "Position taken off where it shows", value=True, key="compare_position",
            bind="query-params", help=f"Of stores where the place in the window explains {GOOD_POSITION:.0%} of the variance and more, the mean of each "
            f"place is taken off.",
        )  # fmt: skip
    columns = st.columns(int(count or 2))
    starts = _starts(len(columns), stores, linked)
    slots = [
        _slot(number, column, stores, linked, starts[number], takes_off)
        for number, column in enumerate(columns)
    ]
    parts = [
        _PART.join((slot.facts.job.id, str(slot.layer), slot.date or "")).rstrip(_PART) for slot in slots
    ]
    address.write(_KEY, _BETWEEN.join(parts))
    return slots


def tell_twice(slots: Sequence[Slot]) -> None:
    """Ask for another store where two maps show the same."""
    shown = [(slot.facts.job.id, slot.layer, slot.date) for slot in slots]
    for slot, one in zip(slots, shown, strict=True):
        first = shown.index(one)
        if first < slot.number:
            st.info(
                f"Store {slot.number + 1} shows the same as store {first + 1}, so there is nothing to compare. Choose another "
                f"one, or extract the same ground with another backbone.",
                icon=":material/content_copy:",
            )


def _slot(
    number: int, column: st.delta_generator.DeltaGenerator, stores: Sequence[cached.JobFacts], linked: list[list[str]],
    start: tuple[str, int], takes_off: bool,
) -> Slot:  # fmt: skip
    by_id = {found.job.id: found for found in stores}
    said = linked[number] if number < len(linked) else []
    first, again = start
    labels = chosen_run.labels(by_id, results.store_words)
    with column:
        name = st.selectbox(
            f"Store {number + 1}", list(by_id), index=list(by_id).index(first), key=f"compare_store_{number}",
            format_func=labels.__getitem__,
        )  # fmt: skip
        store = results.store_of(by_id[name].job)
        layer = _layer(
            number, store, said[1] if len(said) > 1 and name == said[0] else "", again if name == first else 0
        )
        date = _date(number, store, said[2] if len(said) > 2 and name == said[0] else "")
    share = data.position(store, layer) if takes_off else None
    return Slot(number, by_id[name], store, layer, date, usual_position(share))


def _layer(number: int, store: EmbeddingStore, said: str, again: int) -> int:
    """A layer: as the address says, or another one each time that a store is taken again."""
    kept = store.meta.layers
    if said and said not in map(str, kept):
        bound.refuse(f"layer of store {number + 1}", said)
    if len(kept) == 1:
        return kept[0]
    first = int(said) if said in map(str, kept) else kept[again % len(kept)]
    chosen = st.segmented_control("Layer", kept, default=first, required=True, key=f"compare_layer_{number}")
    return int(chosen if chosen is not None else first)


def _date(number: int, store: EmbeddingStore, said: str) -> str | None:
    """A date, where the store has several of the same ground."""
    if not has_several_dates(store):
        if said:
            bound.refuse(f"date of store {number + 1}", said)
        return None
    options = [
        "first",
        "last",
        *sorted({tile.datetimes[-1][:10] for tile in store.tiles if tile.datetimes[-1]}),
    ]
    if said and said not in options:
        bound.refuse(f"date of store {number + 1}", said)
    first = said if said in options else options[0 if number == 0 else 1]
    return str(st.selectbox("Date", options, index=options.index(first), key=f"compare_date_{number}"))


def _starts(count: int, stores: Sequence[cached.JobFacts], linked: list[list[str]]) -> list[tuple[str, int]]:
    """What each list of stores begins with: those of the link, then those of their ground that are not taken yet.

    Returns:
        Runs, and how often each was taken before where the link does not name it.
    """
    starts = [(part[0], 0) for part in linked[:count]]
    taken = [name for name, _ in starts]
    pool = [found.job.id for found in _one_ground(stores, taken)]
    while len(starts) < count:
        name = min(pool, key=taken.count)
        starts.append((name, taken.count(name)))
        taken.append(name)
    return starts


def _one_ground(stores: Sequence[cached.JobFacts], taken: Sequence[str]) -> Sequence[cached.JobFacts]:
    """Stores that share ground, for others have nothing to compare: with the first that is taken, else the newest that do."""
    grounds: dict[str, list[cached.JobFacts]] = {}
    for found in stores:
        grounds.setdefault(_ground(found), []).append(found)
    first = next((found for found in stores if taken and found.job.id == taken[0]), None)
    if first is not None:
        same = grounds[_ground(first)]
        return same if len(same) > 1 else _that_meet([first, *(one for one in stores if one is not first)], 1)
    return next((those for those in grounds.values() if len(those) > 1), None) or _that_meet(stores)


def _that_meet(stores: Sequence[cached.JobFacts], most: int = results.LOOKED_AT) -> Sequence[cached.JobFacts]:
    """The first of the newest stores whose ground another one shares, with that one; else the first alone.

    Args:
        most: of how many of them another one is sought.
    """
    boxes = [(one, box) for one in stores[: results.LOOKED_AT] if (box := results.box_of(one)) is not None]
    for number, (one, box) in enumerate(boxes[:most]):
        for other, there in boxes[number + 1 :]:
            if box.intersection(there).area > 0:
                return one, other
    return stores[:1]


def _ground(found: cached.JobFacts) -> str:
    """Equal for stores of the same place; the two dates of a simulated season are one place."""
    scene, region = found.config.scene, found.config.region
    without_date = scene.model_copy(update={"date": "post"}) if scene.source == "simulated" else scene
    return f"{without_date.model_dump_json()}{region.model_dump_json() if region else ''}"


def _linked(stores: Sequence[cached.JobFacts]) -> list[list[str]]:
    """Run, layer and date of each store that the address names; those of this workspace only."""
    known = {found.job.id for found in stores}
    asked = [part for part in (address.read(_KEY) or "").split(_BETWEEN) if part]
    parts = [part.split(_PART) for part in asked[:MOST]]
    absent = [part[0] for part in parts if part[0] not in known] + asked[MOST:]
    if absent:
        bound.refuse("stores", ", ".join(absent))
    return [part for part in parts if part[0] in known]
