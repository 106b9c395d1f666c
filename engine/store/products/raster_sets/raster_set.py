"""Several rasters of one product taken as one store, whatever their grids and CRSs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import OnlyGaps, RegionError, StoreError
from engine.imagery.region import Region
from engine.store.products.own_exports.tags import own_of_tags
from engine.store.products.raster import understood_raster
from engine.store.products.raster_sets.set_parts import parts_of, tiles_of_parts
from engine.store.products.raster_tiles import moment_in, told_of
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood
from engine.store.schema import column_names

# Of the first rasters of a set numbers are looked at in many places; of the others in few, for opening stays quick.
_LOOKED_RASTERS, _LOOKED_ALONG_FEW = 8, 2
_SAME_GSD = 0.01


@dataclass(frozen=True)
class Member:
    """A raster of a set.

    Attributes:
        name: ids of its tiles begin with it.
        moment: when its embeddings are dated, where that stands beside the file.
        is_dated: whether `moment` says it, though it be None; else the file itself is asked.
    """

    path: Path
    name: str
    moment: str | None = None
    is_dated: bool = False


@dataclass(frozen=True)
class _Found:
    """A member that was understood."""

    understood: Understood
    told: dict[str, Any]
    own: dict[str, Any]
    moments: tuple[str | None, ...]


def taken_set(
    path: Path,
    members: Sequence[Member],
    region: Region | None,
    year: int | None = None,
    model: str | None = None,
) -> Taken:
    """The embeddings of all rasters that meet a region; ground that several have on one date is the first one's.

    Args:
        path: the folder that they lie in.
        year: which of the dates; None: all.

    Raises:
        StoreError: rasters of different kinds, of gaps alone, or one that holds no embeddings.
        RegionError: none meets the region.
    """
    found, gaps = list[_Found](), list[str]()
    for member in members:
        with suppress(RegionError):
            try:
                one = _found(member, path, region, year, model, len(found) >= _LOOKED_RASTERS)
            except OnlyGaps:
                gaps.append(member.name)
                continue
            if year is None or one.told["dates"] or _year(one) == year:
                found.append(one)
    if not found:
        raise _none(path, region, year, gaps)
    _require_one_kind(found)
    told = _together(path, found, gaps)
    parts = parts_of(path, told.dim, [one.told for one in found])
    return Taken(
        told, "patch", 1, lambda: tiles_of_parts(parts, column_names((0,))[0], told.dim), own=_own(found),
        most_tiles=sum(len(part.tiles) for part in parts), in_place={"kind": "rasters", "members": [one.told for one in found]},
    )  # fmt: skip


def _found(
    member: Member,
    path: Path,
    region: Region | None,
    year: int | None,
    model: str | None,
    is_one_of_many: bool,
) -> _Found:
    along = _LOOKED_ALONG_FEW if is_one_of_many else None
    with understood_raster(member.path, region, year if member.path.is_dir() else None, model, along) as seen:
        moment = member.moment if member.is_dated else moment_in(seen)
        dates = tuple(own for _, own in seen.pixels.dates) or (moment,)
        told = {"path": str(member.path.relative_to(path)), **told_of(seen, member.name, moment)}
        return _Found(seen.understood, told, dict(own_of_tags(seen.pixels.tags)), dates)


def _year(one: _Found) -> int | None:
    moment = one.moments[0]
    return None if moment is None else int(moment[:4])


def _none(
    path: Path, region: Region | None, year: int | None, gaps: Sequence[str]
) -> StoreError | RegionError:
    """What is said where nothing is taken."""
    if gaps:
        return StoreError(
            f"{path.name} holds only gaps where it was looked at. Choose another file or region."
        )
    if region is None and year is not None:
        return StoreError(f"{path.name} has no embeddings of {year}. Choose another year.")
    return RegionError(f"The region and {path.name} do not overlap. Choose a region inside its bounds.")


def _require_one_kind(found: Sequence[_Found]) -> None:
    """Check that rasters fit into one store.

    Raises:
        StoreError: they are of several models, decodings, dimensions or pixel sizes.
    """
    first = found[0]
    for one in found[1:]:
        kinds = [
            (each.model, each.dim, each.decoding, each.dtype) for each in (first.understood, one.understood)
        ]
        off = abs(one.understood.gsd_m / first.understood.gsd_m - 1)
        if kinds[0] != kinds[1] or off > _SAME_GSD:
            told = [
                f"{each.told['path']} is of {each.understood.model}, {each.understood.dim} dimensions, {each.understood.decoding}, pixels of "
                f"{each.understood.gsd_m:g} m" for each in (first, one)
            ]  # fmt: skip
            raise StoreError(f"{'; '.join(told)}: they do not fit into one store. Give one of them alone.")


def _together(path: Path, found: Sequence[_Found], gaps: Sequence[str]) -> Understood:
    told = [one.understood for one in found]
    years = sorted({int(moment[:4]) for one in found for moment in one.moments if moment})
    zones = sorted({one.crs for one in told})
    left_out = f"{', '.join(gaps[:4])}{', ...' if len(gaps) > 4 else ''} hold only gaps where they were looked at, and are left out."
    notes = [
        *dict.fromkeys(note for one in told for note in one.notes),
        "Where rasters of one date overlap, each place is taken once, from the first that has it there." if len(found) > 1 else "",
        left_out if gaps else "",
    ]  # fmt: skip
    bounds = [one.bounds_lonlat for one in told]
    return replace(
        told[0], path=str(path), form=f"{told[0].form}, {len(found):,} of them" if len(found) > 1 else told[0].form,
        year=years[0] if len(years) == 1 else told[0].year if len(found) == 1 else None, years=tuple(years),
        crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""), rows=sum(one.rows for one in told),
        size=f"{len(found):,} rasters, {sum(one.rows for one in told):,} pixels" if len(found) > 1 else told[0].size,
        notes=tuple(filter(None, notes)),
        bounds_lonlat=(
            min(one[0] for one in bounds), min(one[1] for one in bounds), max(one[2] for one in bounds), max(one[3] for one in bounds),
        ),
    )  # fmt: skip


def _own(found: Sequence[_Found]) -> dict[str, Any]:
    """What rasters that Emberscope exported say of the store: simulated, or of random weights, where one of them is."""
    told = [one.own for one in found if one.own]
    if not told:
        return {}
    weights = [own["weights_sha256"] for own in told]
    return {
        **told[0],
        "is_simulated": any(own["is_simulated"] for own in told),
        "weights_sha256": "random" if "random" in weights else weights[0],
    }
