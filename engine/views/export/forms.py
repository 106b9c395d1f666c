"""The table of forms in which embeddings leave a store, and the one function that writes any of them.

Every form is written under a temporary name beside its place and renamed when it is complete.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from engine.errors import BadInput, StoreError
from engine.files import make_folder, require_file_path, write_errors
from engine.jobs.configuration.export import Dtype, FormName
from engine.store.schema import StoreMeta
from engine.store.store import EmbeddingStore
from engine.views.export.asked import Export, Made, Tell, dim_of, is_of_8_bits
from engine.views.export.geoparquet import write_geoparquet
from engine.views.export.geotiff import write_geotiff
from engine.views.export.npz import write_npz
from engine.views.export.quantisation import Loss, RoundTrip, and_back, to_float16
from engine.views.export.stac import write_stac
from engine.views.export.terratorch_folder import write_folder
from engine.views.export.zarr_store import write_zarr

# Differences of this share of a length are those of 16-bit floats, in which a store holds what was published in 8 bits.
_ROUNDED = 1e-3
LOSS_FILE = "quantisation.json"
Probe = Callable[[EmbeddingStore, int, RoundTrip], dict[str, Any]]
"""What a linear probe finds in a layer before and after its numbers were made smaller."""


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        words: what it is and who reads it, in one sentence.
        ending: of a file's name; empty for a folder.
        dtypes: that it can hold; the first is written unless another is asked for, "store" being the store's own.
        has_all_layers: whether it holds every layer where none is named.
        row_bytes: of a patch besides its numbers, before compression: keys, outline, place, date.
        overviews: what smaller copies of a map add, as a share of it.
    """

    title: str
    words: str
    ending: str
    dtypes: tuple[str, ...]
    write: Callable[[Export], Made]
    has_all_layers: bool = False
    row_bytes: int = 8
    overviews: float = 0.0

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return not self.ending


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: files, or folders where the form is one; `quantisation.json` beside them is not among them.
    """

    files: tuple[Path, ...]
    dtype: str
    notes: tuple[str, ...]
    loss: Loss | None


FORMS: Mapping[FormName, Form] = MappingProxyType({
    "geotiff": Form(
        "GeoTIFF", "Cloud-Optimised GeoTIFF with a band a dimension: QGIS, GDAL, rasterio.", ".tif", ("float32", "int8"), write_geotiff,
        overviews=1 / 3,
    ),
    "geoparquet": Form(
        "GeoParquet", "One table with a row a patch and the footer emb: geopandas, DuckDB, QGIS.", ".parquet",
        ("float32", "float16", "int8"), write_geoparquet, row_bytes=180,
    ),
    "zarr": Form(
        "Zarr (geoemb)", "Zarr of the geoemb convention, a group a UTM zone: xarray, zarr.", "", ("store", "float32", "float16", "int8"),
        write_zarr,
    ),
    "stac": Form(
        "STAC", "A STAC collection with the embeddings extension over GeoTIFFs: catalogues, pystac, QGIS.", "", ("float32", "int8"), write_stac,
        overviews=1 / 3,
    ),
    "terratorch": Form(
        "TerraTorch folders", "A folder a layer with a GeoTIFF a tile, as TerraTorch writes and reads them.", "", ("float32",), write_folder,
        has_all_layers=True,
    ),
    "npz": Form("NumPy (npz)", "One numpy archive with the rows, their keys and places.", ".npz", ("store", "float32", "float16", "int8"), write_npz, row_bytes=200),
})  # fmt: skip


_ENDINGS = {".tif": (".tif", ".tiff"), ".parquet": (".parquet", ".geoparquet", ".pq"), ".npz": (".npz",)}


def export(
    store: EmbeddingStore,
    layer: int | None,
    out: Path,
    format: str = "geotiff",
    dtype: str | None = None,
    tell: Tell = lambda *_: None,
    probe: Probe | None = None,
) -> Exported:
    """Write the embeddings of a layer at its own resolution in one of the forms, complete or not at all.

    Args:
        layer: as counted by the backbone; None: the first, or all where the form holds several.
        out: a file, replaced where it is there; or a folder, which must be empty or absent.
        dtype: float32, float16 or int8; None: what the form's table says.
        tell: hears how far the work is, and may raise to end it.
        probe: measures what smaller numbers cost on labels.

    Raises:
        StoreError: an unknown format, no such layer, numbers beyond the dtype, or a map over the size limit.
        BadInput: `out` cannot be written, or holds something.
        DiskFull: no room; nothing appears.
    """
    form = form_of(format)
    wanted = dtype_of(form, format, store.meta, dtype)
    layers = _layers(store, layer, form)
    _require_place(out, form)
    with write_errors(out), tempfile.TemporaryDirectory(prefix=f".{out.stem}-", dir=out.parent) as held:
        asked = Export(store, layers, wanted, Path(held) / out.name, str(out.absolute()), tell)
        asked = asked if form.has_all_layers else asked.of_layer(layers[0])
        made = _once_more(_probed(form.write(asked), asked, probe), store.meta)
        files = tuple(out.parent / file.relative_to(held) for file in made.files)
        _write_loss(made, Path(held), out, form)
        _put_in_place(Path(held), out, form)
    return Exported(files, wanted, made.notes, made.loss)


def form_of(name: str) -> Form:
    """The form of a name.

    Raises:
        StoreError: it is unknown.
    """
    if name not in FORMS:
        *most, last = FORMS
        raise StoreError(f"The format {name!r} is not known. Choose {', '.join(most)} or {last}.")
    return FORMS[cast("FormName", name)]


def dtype_of(form: Form, name: str, meta: StoreMeta, asked: str | None) -> Dtype:
    """The type of the numbers that are written.

    Raises:
        StoreError: the form does not hold it.
    """
    if asked is not None and asked not in form.dtypes:
        held = ", ".join(one for one in form.dtypes if one != "store")
        raise StoreError(f"The format {name} holds no {asked}. It holds {held}: choose another --dtype.")
    found = asked or form.dtypes[0]
    return cast("Dtype", meta.dtype if found == "store" else found)


def _layers(store: EmbeddingStore, layer: int | None, form: Form) -> tuple[int, ...]:
    if layer is None and form.has_all_layers:
        return store.meta.layers
    return (store.meta.layers[store.meta.columns.index(store.column(layer))],)


def _require_place(out: Path, form: Form) -> None:
    if not form.is_folder:
        if out.suffix.lower() not in _ENDINGS[form.ending] and not out.is_dir():
            raise BadInput(
                f"{out.name} does not end in {form.ending}, by which a {form.title} file is known. Write {out.name}{form.ending}."
            )
        require_file_path(out)
        return
    make_folder(out.parent)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} already holds something. Choose another --out.")


def _probed(made: Made, asked: Export, probe: Probe | None) -> Made:
    """The same with what a probe finds, where numbers were made smaller and labels are asked."""
    if made.loss is None or probe is None:
        return made
    asked.tell("Measuring the loss on labels", 0, 0)
    found = probe(asked.store, asked.layer, made.round_trip or _round_trip(asked))
    return replace(made, loss=replace(made.loss, probe=found))


def _once_more(made: Made, meta: StoreMeta) -> Made:
    """The same with a note where numbers that were 8 bits already were made 8 bits of another kind."""
    if made.loss is None or made.loss.dtype != "int8" or not is_of_8_bits(meta):
        return made
    if made.loss.relative_mean <= _ROUNDED and made.loss.cosine_worst <= _ROUNDED**2:
        return replace(
            made,
            notes=(
                *made.notes,
                "The 8-bit numbers lose nothing: they are those that the embeddings were published in.",
            ),
        )
    said = (
        "The embeddings were published in 8 bits and are quantised a second time, in another way: what is told of the loss comes "
        "on top of the publisher's own. --dtype float16 (Zarr, GeoParquet, npz) keeps them as they are."
    )
    return replace(made, notes=(*made.notes, said))


def _round_trip(asked: Export) -> RoundTrip:
    return (
        and_back(asked.by_row)
        if asked.dtype == "int8"
        else lambda values: to_float16(values).astype("float32")
    )


def _write_loss(made: Made, held: Path, out: Path, form: Form) -> None:
    """Beside a file, inside a folder."""
    if made.loss is None:
        return
    told = {**made.loss.facts(), "in_words": made.loss.sentence(), "notes": list(made.notes)}
    place = held / out.name / LOSS_FILE if form.is_folder else held / f"{out.stem}.{LOSS_FILE}"
    place.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _put_in_place(held: Path, out: Path, form: Form) -> None:
    if form.is_folder:
        if out.is_dir():
            out.rmdir()
        (held / out.name).rename(out)
        return
    for path in sorted(held.iterdir()):
        path.replace(out.parent / path.name)


def bytes_of(store: EmbeddingStore, layer: int | None, form: Form, dtype: Dtype) -> int:
    """Bytes of the files before compression: they are about that, or smaller."""
    each = {"float32": 4, "float16": 2, "int8": 1}[dtype]
    numbers = each * sum(dim_of(store, one) for one in _layers(store, layer, form))
    return round(store.rows * (numbers * (1 + form.overviews) + form.row_bytes))
