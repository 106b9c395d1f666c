"""Files on disk: written atomically, their sha256, names made of free text, and what failed in plain words."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import BadInput, DiskFull, EngineError, RunFailure

_TORN_S = 86_400
_FULL = (errno.ENOSPC, errno.EDQUOT)
# What is wrong with a path that somebody named, by error number; {path} and {folder} are filled in.
_WRONG_PATHS = {
    errno.EISDIR: "{path} is a folder, and a file is to be written there. Name a file.",
    errno.ENOTDIR: "{folder} is a file, and a folder is needed there. Choose another path.",
    errno.EEXIST: "{folder} is a file, and a folder is needed there. Choose another path.",
    errno.EACCES: "{path} may not be written: permission denied. Choose another path, or change its permissions.",
    errno.EPERM: "{path} may not be written: permission denied. Choose another path, or change its permissions.",
    errno.EROFS: "{path} lies on a file system that is mounted read-only. Choose another path.",
    errno.ENAMETOOLONG: "{path} is too long a name for this file system. Choose a shorter one.",
}


def write_atomic(
    path: Path,
    write: Callable[[Path], object],
    before_rename: Callable[[], object] = lambda: None,
    then: str = "try again",
) -> None:
    """Write under a temporary name, sync, then rename: the file appears complete or not at all.

    Several may write the same file at once; the last one counts.

    Args:
        before_rename: called when everything is written; when it raises, nothing appears.
        then: what to do once the disk has room again.

    Raises:
        DiskFull, BadInput, RunFailure: as `write_error` says.
    """
    # A name of this thread's own: of two that write the same file, neither writes into what the other one renames.
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.writing")
    require_file_path(path)
    _forget_torn(path)
    with write_errors(path, then):
        try:
            write(temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            before_rename()
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _forget_torn(path: Path) -> None:
    """Remove what processes that were killed a day ago or longer left of a file."""
    for torn in path.parent.glob(f"{glob.escape(path.name)}.*.writing"):
        with suppress(FileNotFoundError):
            if time.time() - torn.stat().st_mtime > _TORN_S:
                torn.unlink()


def require_file_path(path: Path) -> None:
    """Check that a file can be written at a path, and make its folder: asked before long work starts.

    Raises:
        BadInput: the path is a folder, or its folder cannot be made or written to.
    """
    make_folder(path.parent)
    with write_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path.parent, os.W_OK):
            is_read_only = bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
            raise OSError(errno.EROFS if is_read_only else errno.EACCES, "")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless they are there.

    Raises:
        DiskFull, BadInput, RunFailure: as `write_error` says.
    """
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def write_errors(path: Path, then: str = "try again") -> Iterator[None]:
    """Inside it, what the file system refuses while `path` is written is raised as `write_error` says."""
    try:
        yield
    except OSError as err:
        raise write_error(err, path, then) from err


def write_error(err: OSError, path: Path, then: str = "try again") -> EngineError:
    """What kept a file from being written: DiskFull, BadInput where the path is wrong, RunFailure otherwise."""
    if is_disk_full(err):
        return DiskFull(
            f"{path.name} could not be written: the disk of {path.parent} is full. Free some space, then {then}."
        )
    if err.errno in _WRONG_PATHS:
        folder = _first_file(path) if err.errno in (errno.ENOTDIR, errno.EEXIST) else path.parent
        return BadInput(_WRONG_PATHS[err.errno].format(path=path, folder=folder))
    return RunFailure(
        f"{path} could not be written ({_in_one_line(err.strerror or err)}). Check the disk, then {then}."
    )


def is_disk_full(err: BaseException) -> bool:
    """Whether a write failed for want of space or quota; GDAL tells it in its text only."""
    return getattr(err, "errno", None) in _FULL or any(os.strerror(code) in str(err) for code in _FULL)


def sync_folder(folder: Path) -> None:
    """Ask the system to keep the folder's names through a power cut, where it can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as err:
        if err.errno != errno.EINVAL:  # a file system without directory sync
            raise
    finally:
        os.close(handle)


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as err:
        raise ValueError("nested too deeply") from err


def slug(text: str, keep: str = "", filler: str = "-", most: int = 40) -> str:
    """Free text as part of a file's name: ASCII letters, digits and `keep`; each run of others is one `filler`."""
    return re.sub(rf"[^A-Za-z0-9{re.escape(keep)}]+", filler, text)[:most]


def _first_file(path: Path) -> Path:
    """The first component of a path that is a file where a folder is needed."""
    return next((part for part in (*reversed(path.parents), path) if part.is_file()), path)


def _in_one_line(error: object) -> str:
    return " ".join(str(error).split())[:160]
