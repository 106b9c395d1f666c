"""The files of a Zarr store on another computer, as zarr-python asks for them: the methods of an asynchronous fsspec file system.

A server of files cannot be asked which files it has: what describes the store is one file (consolidated metadata), which is
fetched once and lies in a folder here. Chunks come through the cache, whole or, of shards, by ranges of bytes.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.errors import AbsentRemote, RemoteError, SceneError
from engine.files import make_folder, write_atomic
from engine.imagery.remote import access
from engine.imagery.remote.addresses import shown
from engine.imagery.remote.fetching import CONNECTIONS, RemoteRaster, cached, read_ranges
from engine.imagery.remote.http import Asked, ask
from engine.imagery.remote.remote_file import remote_raster, write_remote

# Files that describe a store (Zarr 3; Zarr 2 with consolidated metadata).
_DESCRIPTION = ("zarr.json", ".zmetadata", ".zgroup", ".zattrs")
_DESCRIBES = frozenset({*_DESCRIPTION, ".zarray"})
# A bucket that does not list its objects answers 403 for one that is not there.
_REFUSED, _ABSENT = (401, 403), (404, 410)
_MOST_BYTES = 48_000_000
# A chunk is unpacked as a whole; more of it than this is not brought here.
_MOST_CHUNK_BYTES = 1_000_000_000

_readers = ThreadPoolExecutor(CONNECTIONS, "store-files")


def bring_description(store: RemoteRaster, file: Path) -> None:
    """Fetch what describes a store, and write the small file that names it, beside it and last.

    Raises:
        RemoteError: it cannot be had.
        SceneError: there is no store, or its server would have to list files to tell what is in it.
    """
    parts = _consolidated(store)
    make_folder(file.parent)
    for name, said in parts.items():
        text = json.dumps(said)
        write_atomic(file.parent / name, lambda temporary, text=text: temporary.write_text(text, "utf-8"))  # type: ignore[misc]
    write_remote(file, store, 0.0)


def _consolidated(store: RemoteRaster) -> dict[str, dict[str, Any]]:
    """What describes a store and all that is in it, by the names of the files in which zarr-python looks for it."""
    status, found = _described(store, "zarr.json")
    if found.get("consolidated_metadata"):
        return {"zarr.json": found}
    status, held = (status, {}) if found else _described(store, ".zmetadata")
    inside = held.get("metadata")
    if isinstance(inside, dict):
        return {
            ".zmetadata": held,
            **{name: inside[name] for name in (".zgroup", ".zattrs") if name in inside},
        }
    if status in _REFUSED:
        raise RemoteError(
            f"{shown(store.address)} cannot be had: its server refuses it ({status}). Check the address, and scene.access."
        )
    lacks = "no consolidated metadata" if found else "neither zarr.json nor .zmetadata"
    raise SceneError(
        f"{shown(store.address)} has {lacks}, and a server of files does not tell what else is there. "
        f"Name the store itself, written with zarr.consolidate_metadata; or copy it here."
    )


def _described(store: RemoteRaster, name: str) -> tuple[int, dict[str, Any]]:
    """A file of JSON below a store's address, with the server's answer; empty where it is not there."""
    url, headers = access.signed(f"{store.address}/{name}", store.access)
    answer = ask(Asked(url, headers=headers, most_bytes=_MOST_BYTES))
    if answer.status in (*_REFUSED, *_ABSENT):
        return answer.status, {}
    try:
        said = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise RemoteError(
            f"{shown(store.address)} cannot be had: for {name} its server answered {answer.status}, and no description of a Zarr "
            f"store. Check the address."
        )
    return answer.status, said


class StoreFiles:
    """The files of one store; any thread may read them.

    Args:
        file: the small file that names the store.
    """

    async_impl = asynchronous = True

    def __init__(self, file: Path) -> None:
        self._store, self._folder = remote_raster(file), file.parent

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_readers, self._content, path, start, end)

    async def _exists(self, path: str) -> bool:
        try:
            await self._cat_file(path)
        except FileNotFoundError:
            return False
        return True

    def _content(self, path: str, start: int | None, end: int | None) -> bytes:
        """Bytes of a file.

        Raises:
            FileNotFoundError: its server does not have it: zarr-python fills such a chunk.
            RemoteError: it cannot be had.
        """
        parts = path.strip("/").split("/")
        if ".." in parts:
            raise RemoteError(f"{self._store.what} names the file {path[:80]!r}, which leads out of it.")
        if parts[-1] in _DESCRIBES:
            if len(parts) > 1 or parts[0] not in _DESCRIPTION:  # stands in the consolidated metadata
                raise FileNotFoundError(path)
            return (self._folder / parts[0]).read_bytes()[start:end]
        address = f"{self._store.address}/{quote('/'.join(parts))}"
        chunk = RemoteRaster(
            address, self._store.access, f"{'/'.join(parts)} of {self._store.what}", start is None
        )
        try:
            held = cached(chunk)
        except AbsentRemote as err:
            raise FileNotFoundError(path) from err
        first = (start or 0) + (held.size if (start or 0) < 0 else 0)
        last = held.size if end is None else min(end, held.size)
        if last - first > _MOST_CHUNK_BYTES:
            raise chunk.told(f"it has {(last - first) / 1e6:,.0f} MB, more than is unpacked at once.")
        (found,) = read_ranges(chunk, held, [(first, last)])
        return found
