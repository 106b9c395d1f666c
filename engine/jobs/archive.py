"""All of a run as one zip file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engine.jobs.folder import PROCESS

_LEFT_OUT = (".lock", ".writing")
# Parquet, GeoTIFF and safetensors hardly shrink; text does.
_TEXT = (".json", ".jsonl", ".yaml", ".txt", ".log", ".geojson")


def archive_bytes(folder: Path) -> int:
    """Bytes of the files that an archive of a run holds, before compression."""
    return sum(path.stat().st_size for path in _files(folder))


def write_archive(folder: Path, out: IO[bytes]) -> None:
    """Write every file of a run below the run folder's own name; locks and what belongs to its process stay behind."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in _files(folder):
            name = Path(folder.name) / path.relative_to(folder)
            how = zipfile.ZIP_DEFLATED if path.suffix in _TEXT else zipfile.ZIP_STORED
            archive.write(path, name.as_posix(), compress_type=how)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix not in _LEFT_OUT and path.name != PROCESS:
            yield path
