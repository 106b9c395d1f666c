"""What a leaderboard on shared ground says: how much ground that is, and what an annual product can and cannot show of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.learning.preparation import Prepared
from engine.store.products.known import ANNUAL_MODELS
from engine.store.store import EmbeddingStore

Titled = tuple[str, Prepared]


def told_of(entries: Sequence[Titled]) -> list[str]:
    """The sentences of stores with their titles."""
    return [_ground(entries), *_times(entries)]


def annual_years(store: EmbeddingStore) -> tuple[int, ...]:
    """The years that a store of an annual product stands for; empty for other stores, and where it states none."""
    if store.meta.backbone not in ANNUAL_MODELS:
        return ()
    return tuple(sorted({int(day[:4]) for day in _days(store)}))


def _ground(entries: Sequence[Titled]) -> str:
    """How many pixels are judged, and how much of the labelled ground of the first store that is."""
    title, first = entries[0]
    judged = {name: sum(own.values()) for name, own in first.class_counts.items()}
    pixel_m = first.store.meta.gsd_m
    square_km = judged["test"] * pixel_m**2 / 1e6
    count = first.split.places_of("test")
    every = sum(first.labels.pixels.values())
    share = sum(judged.values()) / every if every else 0
    return (
        f"Every row is judged on the same {judged['test']:,} labelled pixels of {title} ({pixel_m:g} m, {square_km:,.4g} km²), "
        f"of {count} place{'' if count == 1 else 's'}. Ground counts only where it has a label and an embedding in every store: that is "
        f"{share:.0%} of the labelled pixels of {title}. The other stores learn from the same labels, on their own pixels."
    )


def _times(entries: Sequence[Titled]) -> Iterator[str]:
    """What each annual product means beside each dated store."""
    annual = [one for one in entries if one[1].store.meta.backbone in ANNUAL_MODELS]
    for title, own in annual:
        years = annual_years(own.store)
        if not years:
            yield f"{title} is an annual product, and its store states no year: whether its year holds the fire is not known."
            continue
        said = " and ".join(map(str, years))
        yield (
            f"{title} is an annual product of {said}: each embedding sums up the images of the whole year, before and after "
            f"a fire in it."
        )
        yield from (_beside(title, years, *one) for one in entries if one not in annual)


def _beside(title: str, years: Sequence[int], other: str, dated: Prepared) -> str:
    days = _days(dated.store)
    if not days:
        return f"{other} states no date: whether it lies in that year is not known."
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    first, last = int(days[0][:4]), int(days[-1][:4])
    if last < years[0]:
        return (
            f"{other} is of {span}, before that year: what burned by then is at least a winter old in {title}, and ground that "
            f"burned later is burnt there and not here."
        )
    if first > years[-1]:
        return f"{other} is of {span}, after that year: {title} cannot show what burned after 31 December {years[-1]}."
    if first < years[0] or last > years[-1]:
        return (
            f"{other} is of {span}, partly outside that year: {title} shows no fire that burned outside it."
        )
    return (
        f"{other} is of {span}, inside that year: the later in the year a fire burned, the less of it the year's summary "
        f"holds."
    )


def _days(store: EmbeddingStore) -> list[str]:
    return sorted({date[:10] for tile in store.tiles for date in tile.datetimes if date})
