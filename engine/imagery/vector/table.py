"""A vector file as a table of shapes with attributes, in lon/lat: formats are told by their content, never by GDAL's guess."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from pyproj.exceptions import CRSError, ProjError

from engine.archives import Entry, Limits, entries
from engine.errors import RegionError
from engine.imagery.vector.geojson import read_geojson
from engine.imagery.vector.kml import MOST_BYTES, read_kml

if TYPE_CHECKING:
    import geopandas as gpd

# What each format begins with: GDAL tells formats by their content, and some (VRT) name other files to open.
_SIGNATURES = {
    ".gpkg": b"SQLite format 3\0",  # OGC 12-128r18, section 1.1.1
    ".shp": b"\x00\x00\x27\x0a",  # ESRI Shapefile Technical Description, file code 9994
    ".fgb": b"fgb",
    ".parquet": b"PAR1",
    ".geoparquet": b"PAR1",
}
_GEOJSON, _ARCHIVES = (".geojson", ".json"), (".zip", ".kmz")
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_PACKED = Limits(most_files=2_000, most_bytes=2_000_000_000)
ENDINGS = (*_GEOJSON, ".kml", ".kmz", ".gpkg", ".shp", ".fgb", ".parquet", ".geoparquet", ".zip")
"""Of the files that are read; a zip holds one of the others."""


def read_table(path: Path, layer: str | None = None, name: str = "") -> gpd.GeoDataFrame:
    """The rows of a vector file, their shapes in lon/lat.

    Args:
        layer: of a GeoPackage or a zip with several files; None: the only one that there is.
        name: what messages call the file; "": its path.

    Raises:
        RegionError: absent, of another format, without a CRS, or of several layers none of which is named.
        BadInput: a zip that is not safe to unpack.
    """
    named, suffix = name or str(path), path.suffix.lower()
    if suffix not in ENDINGS:
        raise RegionError(
            f"{named} is of no format that is read here ({', '.join(ENDINGS)}). Export it as one of these."
        )
    if suffix in _ARCHIVES:
        return _from_archive(path, layer, named)
    return _in_lonlat(_rows(path, suffix, layer, named), named)


def _rows(path: Path, suffix: str, layer: str | None, named: str) -> gpd.GeoDataFrame:
    """The rows in the file's own CRS."""
    if suffix == ".kml":
        return _from_kml(_content(path, named), named)
    if suffix in _GEOJSON:
        return read_geojson(_content(path, named), named)
    with _opened(path, named) as file:
        start = file.read(16)
    if not start.startswith(_SIGNATURES[suffix]):
        raise RegionError(f"{named} is no {suffix} file by its content. Export it again.")
    return _through_gdal(path, suffix, layer, named)


def _through_gdal(path: Path, suffix: str, layer: str | None, named: str) -> gpd.GeoDataFrame:
    import geopandas as gpd  # with pandas, a quarter of a second: only where a table is read
    import pyogrio
    import pyogrio.errors

    try:
        if suffix.endswith("parquet"):
            return gpd.read_parquet(path)
        if suffix == ".gpkg":
            layer = _one_of([str(one) for one, kind in pyogrio.list_layers(path) if kind], layer, named)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what a file does not keep to
            return gpd.read_file(path, engine="pyogrio", layer=layer)
    except (
        pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, CRSError, ProjError, ValueError, OSError,
        AttributeError, IndexError,
    ) as err:  # fmt: skip
        raise RegionError(
            f"{named} cannot be read ({' '.join(str(err).split())[:120]}). Export it again."
        ) from err


def _one_of(layers: list[str], wanted: str | None, named: str) -> str:
    """The layer that is meant.

    Raises:
        RegionError: none of that name, or several and none named.
    """
    if wanted is not None and wanted in layers:
        return wanted
    if wanted is None and len(layers) == 1:
        return layers[0]
    listed = ", ".join(layers[:12]) + (", ..." if len(layers) > 12 else "")
    if not layers:
        raise RegionError(f"{named} holds no layer of polygons. Export it again.")
    if wanted is not None:
        raise RegionError(f"{named} has no layer {wanted[:60]!r}; it has {listed}. Name one of these.")
    raise RegionError(f"{named} holds {len(layers)} layers: {listed}. Name the one that is meant.")


def _from_archive(path: Path, layer: str | None, named: str) -> gpd.GeoDataFrame:
    """The rows of the one vector file in a zip, unpacked below names of our own.

    Several shapefiles, as Copernicus EMS packs them, are told apart by `layer`.
    """
    with tempfile.TemporaryDirectory(prefix="emberscope-vector-") as folder, _opened(path, named) as file:
        stems: dict[str, Path] = {}
        for entry in entries(file, named, _PACKED):
            _keep(entry, Path(folder), stems)
        usable = {stem: kept for stem, kept in stems.items() if _main(kept) is not None}
        if not usable:
            raise RegionError(
                f"{named} holds no file of polygons ({', '.join(ENDINGS[:-1])}). Pack it again."
            )
        chosen = usable[_one_of(list(usable), layer, named)]
        main = _main(chosen)
        assert main is not None
        return _in_lonlat(_rows(main, main.suffix, None, f"{named} ({_name_of(chosen, usable)})"), named)


def _name_of(folder: Path, stems: dict[str, Path]) -> str:
    return next(stem for stem, kept in stems.items() if kept == folder)


def _keep(entry: Entry, folder: Path, stems: dict[str, Path]) -> None:
    """Write a file of ours below a numbered folder of its stem; others are passed over."""
    inside = PurePosixPath(entry.name)
    ending = inside.suffix.lower()
    if inside.name.startswith(".") or ending in _ARCHIVES or ending not in (*ENDINGS, *_SHAPEFILE_PARTS):
        return
    stem = inside.stem if inside.stem not in stems or _is_part_of(stems[inside.stem], ending) else inside.name
    place = stems.setdefault(stem, folder / str(len(stems)))
    entry.copy_to(place / f"polygons{ending}")


def _is_part_of(place: Path, ending: str) -> bool:
    """Whether a further file of a stem belongs to its shapefile."""
    held = {one.suffix for one in place.iterdir()}
    return held <= set(_SHAPEFILE_PARTS) and ending in _SHAPEFILE_PARTS and ending not in held


def _main(place: Path) -> Path | None:
    return next((one for one in sorted(place.iterdir()) if one.suffix in ENDINGS), None)


def _from_kml(content: bytes, named: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    rows = read_kml(content, named)
    return gpd.GeoDataFrame(
        [said for _, said in rows], geometry=[shape for shape, _ in rows], crs="OGC:CRS84"
    )


def _content(path: Path, named: str) -> bytes:
    with _opened(path, named) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RegionError(
            f"{named} is larger than {MOST_BYTES / 1e6:,.0f} MB. Export it as GeoPackage or GeoParquet."
        )
    return content


def _opened(path: Path, named: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as err:
        raise RegionError(f"{named} cannot be read ({err.strerror or err}). Check the path.") from err


def _in_lonlat(frame: gpd.GeoDataFrame, named: str) -> gpd.GeoDataFrame:
    if frame.crs is None:
        raise RegionError(
            f"{named} states no CRS, so nothing says where its polygons lie. Export it with its CRS."
        )
    try:
        return frame.to_crs("OGC:CRS84")
    except (CRSError, ProjError, ValueError) as err:
        raise RegionError(
            f"{named} cannot be brought to lon/lat ({' '.join(str(err).split())[:120]}). Export it in EPSG:4326."
        ) from err
