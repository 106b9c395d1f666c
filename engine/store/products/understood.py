"""What was understood of a file of embeddings, in words that a person reads before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

UNKNOWN = "unknown"
NOT_STATED = "not stated"
# More pixels than these make a store that takes hours and tens of gigabytes: a whole AlphaEarth file has 67 million.
MOST_ROWS = 16_000_000


@dataclass(frozen=True)
class Understood:
    """What a file of embeddings is taken for.

    Attributes:
        form: what kind of file it is, in words.
        model: the encoder's name; "unknown" where nothing tells it.
        decoding: how stored numbers become embeddings, in words.
        mean_length: Euclidean length of the embeddings that were looked at, their median.
        is_unit_length: whether they are all of length 1, within two hundredths.
        nodata: what marks a gap, in words.
        year: of an annual product, or of the images; None where nothing states it.
        size: what is taken, in words: rows and columns, or rows of a table.
        rows: rows that are taken at most.
        dtype: of the store: float16 holds what came from 8 bits, float32 the rest as it is.
        notes: what was assumed or corrected, in sentences.
        years: of a Zarr group with several dates, those that it holds; else empty.
        most_rows: of a store of this form; fewer of footprints, each of which is a tile of its own.
        bounds_lonlat: west, south, east, north in degrees of what is taken; all zero where that is not known yet.
    """

    path: str
    form: str
    model: str
    dim: int
    decoding: str
    mean_length: float
    is_unit_length: bool
    nodata: str
    year: int | None
    licence: str
    attribution: str
    crs: str
    gsd_m: float
    size: str
    rows: int
    dtype: Literal["float16", "float32"]
    notes: tuple[str, ...] = ()
    bounds_lonlat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    years: tuple[int, ...] = ()
    most_rows: int = MOST_ROWS

    def in_lines(self) -> list[str]:
        """One line a fact, then the notes."""
        length = "all of length 1" if self.is_unit_length else f"of length {self.mean_length:.3g} (median)"
        told = [
            ("File", f"{self.path}: {self.form}"), ("Model", self.model), ("Dimensions", f"{self.dim}, {length}"),
            ("Decoding", self.decoding), ("Gaps", self.nodata), ("Year", str(self.year or NOT_STATED)),
            ("Place", f"{self.size}, {self.crs}, {self.gsd_m:g} m"), ("Licence", self.licence or NOT_STATED),
            ("Attribution", self.attribution or NOT_STATED),
        ]  # fmt: skip
        return [f"{name}: {words}" for name, words in told] + list(self.notes)

    def facts(self) -> dict[str, Any]:
        """The same for a program."""
        names = (
            "form", "model", "dim", "decoding", "mean_length", "is_unit_length", "nodata", "year", "licence",
            "attribution", "crs", "gsd_m",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"notes": list(self.notes)}
