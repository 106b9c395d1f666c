"""Zarr stores (formats 2 and 3) in the CF conventions as arrays, read by window through xarray and zarr-python.

A store is a folder that holds its own chunks: links out of it, and codecs that could run what they unpack, are refused. One on
another computer is named by a small file here, and read through connections to checked addresses.
"""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engine.errors import SceneError
from engine.imagery.cubes.chunk_reader import ChunkReader
from engine.imagery.cubes.cube import LARGEST_CHUNK_BYTES, Opened
from engine.imagery.remote.fetching import CONNECTIONS
from engine.imagery.remote.store_files import StoreFiles

if TYPE_CHECKING:
    import xarray as xr
    import zarr

ENDING = ".zarr"
METADATA = ("zarr.json", ".zgroup", ".zmetadata", ".zarray", ".zattrs")
# Codecs that only unpack numbers and text; of the others, `pickle` runs code (numcodecs, zarr-python 3.1).
_CODECS = frozenset({
    "blosc", "zlib", "gzip", "zstd", "lz4", "lzma", "bz2", "delta", "fixedscaleoffset", "shuffle", "quantize", "astype",
    "packbits", "bitround", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3", "bytes", "endian", "transpose",
    "sharding_indexed", "vlen-utf8", "vlen-bytes", "zfpy", "pcodec", "scale_offset", "cast_value",
})  # fmt: skip


def is_zarr(path: Path) -> bool:
    """Whether a path is the folder of a Zarr store, or of a group in one."""
    return path.is_dir() and any((path / name).is_file() for name in METADATA[:4])


def open_zarr(path: Path) -> Opened:
    """The arrays of a store, or of a group in one.

    Raises:
        SceneError: it is no store, holds no array, or has links or codecs that are not followed.
        ValueError, KeyError, RuntimeError, TypeError, OSError: it cannot be read.
    """
    import xarray as xr  # not for every page

    files = _own_files(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of text in names of bands, whose form Zarr 3 leaves open
        _, arrays = open_arrays(path)
        dataset = xr.open_dataset(
            path, engine="zarr", decode_cf=False, cache=False, consolidated=False, chunks=None
        )
    notes = tuple(_absent(path, dataset, arrays, files))
    return Opened(path, dataset, ChunkReader(path.name, arrays).read, notes)


def is_zarr_away(path: Path) -> bool:
    """Whether a path is that of a small file that names a store on another computer."""
    return path.suffix.lower() == ENDING and path.is_file()


def open_zarr_away(path: Path) -> Opened:
    """The arrays of a store on another computer, which a file here names.

    Raises:
        SceneError: as `open_zarr`.
        RemoteError: it cannot be had.
        ValueError, KeyError, RuntimeError, TypeError, OSError: it cannot be read.
    """
    import xarray as xr
    import zarr
    from zarr.storage import FsspecStore

    store = FsspecStore(cast(Any, StoreFiles(path)), read_only=True, path="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arrays = _arrays(zarr.open_group(store, mode="r", use_consolidated=True), path)
        dataset = xr.open_dataset(
            cast(Any, store), engine="zarr", decode_cf=False, cache=False, consolidated=True, chunks=None
        )
    reader = ChunkReader(path.name, arrays, side_by_side=CONNECTIONS)
    return Opened(path, dataset, reader.read, tuple(_filled(path, dataset, arrays)), reader.ahead)


def groups_away(path: Path) -> dict[str, tuple[dict[str, Any], dict[str, zarr.Array[Any]]]]:
    """Attributes and arrays of a store on another computer, named "", and of the groups in it by their names.

    Raises:
        As `open_zarr_away`.
    """
    import zarr
    from zarr.storage import FsspecStore

    store = FsspecStore(cast(Any, StoreFiles(path)), read_only=True, path="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = zarr.open_group(store, mode="r", use_consolidated=True)
        groups = {"": root, **dict(root.groups())}
        return {
            name: (dict(group.attrs), _arrays(group, path) if any(group.array_keys()) else {})
            for name, group in groups.items()
        }


def open_arrays(path: Path) -> tuple[dict[str, Any], dict[str, zarr.Array[Any]]]:
    """Attributes and arrays of a store, or of a group in one, once its links, codecs and chunks are looked at.

    Raises:
        SceneError: as `open_zarr`.
        ValueError, KeyError, RuntimeError, TypeError, OSError: it cannot be read.
    """
    import zarr

    if not is_zarr(path):
        raise SceneError(f"{path} is no Zarr store: it has neither zarr.json nor .zgroup. Check the path.")
    _own_files(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        group = zarr.open_group(path, mode="r", use_consolidated=False)
        return dict(group.attrs), _arrays(group, path)


def _arrays(group: zarr.Group, path: Path) -> dict[str, zarr.Array[Any]]:
    """The arrays of a group, once their codecs and chunks are looked at."""
    arrays = dict(group.arrays())
    if not arrays:
        inner = ", ".join(sorted(name for name, _ in group.groups())[:8])
        raise SceneError(
            f"{path.name} has no array of its own. "
            + (f"Name one of its groups: {inner}." if inner else "Copy it again.")
        )
    for name, array in arrays.items():
        _require_bounded(path, name, array)
    return arrays


def _own_files(path: Path) -> Counter[str]:
    """How many chunks lie in the folder of each array.

    Raises:
        SceneError: the store has a link in it.
    """
    found: Counter[str] = Counter()
    for place, folders, names in os.walk(path):
        for name in (*folders, *names):
            if Path(place, name).is_symlink():
                raise SceneError(
                    f"{path.name}: {name} is a link, which is not followed. Copy the store with its files."
                )
        inside = Path(place).relative_to(path).parts
        if inside:
            found[inside[0]] += sum(1 for name in names if name not in METADATA)
    return found


def _require_bounded(path: Path, name: str, array: zarr.Array[Any]) -> None:
    """Refuse an array whose codecs are not known to be harmless, or whose chunks unpack to more than memory.

    Raises:
        SceneError: naming it.
    """
    unknown = sorted(set(_codecs(array.metadata)) - _CODECS)
    if unknown:
        raise SceneError(
            f"{path.name}: {name} is packed with {', '.join(unknown)}, which is not unpacked. Write it with zstd or blosc."
        )
    if math.prod(array.chunks) * array.dtype.itemsize > LARGEST_CHUNK_BYTES:
        raise SceneError(
            f"{path.name}: {name} is stored in chunks above {LARGEST_CHUNK_BYTES / 1e6:.0f} MB, each unpacked as a whole. "
            f"Write it in smaller ones."
        )


def _codecs(metadata: Any) -> Iterator[str]:
    """Names of all codecs of an array, also of those inside a shard."""
    if metadata.zarr_format == 2:
        yield from (
            one.codec_id for one in (metadata.compressor, *(metadata.filters or ())) if one is not None
        )
        return
    waiting = [codec.to_dict() for codec in metadata.codecs]
    while waiting:
        one = waiting.pop()
        yield str(one["name"]).removeprefix("numcodecs.")
        inner = one.get("configuration") or {}
        waiting += [dict(codec) for key in ("codecs", "index_codecs") for codec in inner.get(key, ())]


def _absent(
    path: Path, dataset: xr.Dataset, arrays: dict[str, zarr.Array[Any]], files: Counter[str]
) -> Iterator[str]:
    """Arrays of images some of whose chunks are not there: Zarr fills them with a value, which may not mark gaps."""
    for name, array in arrays.items():
        if array.ndim < 2 or array.dtype.kind not in "iuf":
            continue
        whole = math.prod(
            -(-side // chunk) for side, chunk in zip(array.shape, array.shards or array.chunks, strict=True)
        )
        missing = whole - files[name]
        if missing > 0:
            is_gap, reading = _reading_of_fill(array, dataset[name].attrs)
            yield f"{path.name}: {missing:,} of the {whole:,} chunks of {name} are not there; {'they are gaps' if is_gap else f'Zarr reads them as {reading}'}."


def _filled(path: Path, dataset: xr.Dataset, arrays: dict[str, zarr.Array[Any]]) -> Iterator[str]:
    """Arrays whose absent chunks would be read as values, where nobody can count which are there."""
    found: dict[str, list[str]] = {}
    for name, array in arrays.items():
        if array.ndim >= 2 and array.dtype.kind in "iuf":
            is_gap, reading = _reading_of_fill(array, dataset[name].attrs)
            if not is_gap:
                found.setdefault(reading, []).append(name)
    for reading, names in found.items():
        yield f"{path.name}: chunks of {', '.join(names)} that its server does not have are read as {reading}."


def _reading_of_fill(array: zarr.Array[Any], said: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the value of an array's absent chunks marks gaps, and how it is read otherwise."""
    fill = array.fill_value
    gaps = [
        float(v) for key in ("_FillValue", "missing_value") if key in said for v in np.atleast_1d(said[key])
    ]
    is_gap = fill is not None and bool(np.isnan(fill) or float(fill) in gaps)
    return is_gap, f"{fill}, which marks no gap unless scene.nodata says so"
