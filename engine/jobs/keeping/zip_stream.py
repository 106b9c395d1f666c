"""A folder as a zip that is made while it is sent: nothing is written to disk, and one block is in memory at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from engine.jobs.folder import PROCESS

LEFT_OUT = (".lock", ".writing")
_BLOCK = 1 << 20
# Parquet, GeoTIFF and safetensors hardly shrink; text does.
_TEXT = (".json", ".jsonl", ".yaml", ".txt", ".log", ".geojson")


def archive_bytes(folder: Path) -> int:
    """Bytes of the files that a zip of a folder holds, before compression."""
    return sum(path.stat().st_size for path in _files(folder))


def zip_blocks(folder: Path) -> Iterator[bytes]:
    """The bytes of a zip of a folder's files, each below the folder's own name.

    Raises:
        OSError: a file has gone since the stream began; what was sent is then no readable zip.
    """
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w") as archive:
        for path in _files(folder):
            yield from _member(archive, path, (Path(folder.name) / path.relative_to(folder)).as_posix(), sink)
    yield sink.taken()


def _member(archive: zipfile.ZipFile, path: Path, name: str, sink: _Sink) -> Iterator[bytes]:
    info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
    info.compress_type = zipfile.ZIP_DEFLATED if path.suffix in _TEXT else zipfile.ZIP_STORED
    with path.open("rb") as file, archive.open(info, "w", force_zip64=True) as member:
        while block := file.read(_BLOCK):
            member.write(block)
            yield sink.taken()


def _files(folder: Path) -> Iterator[Path]:
    """No links, no locks, nothing half written, nothing that belongs to a process."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix not in LEFT_OUT and path.name != PROCESS:
            yield path


class _Sink:
    """What zipfile writes to: it cannot be sought in, so that sizes follow the data of each file."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep what is written until it is taken."""
        self._blocks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self) -> bytes:
        """All that was written since the last call."""
        blocks, self._blocks = self._blocks, []
        return b"".join(blocks)
