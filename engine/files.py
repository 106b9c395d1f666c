"""Files that appear whole or not at all, and stay through a power cut."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path


def write_whole(
    path: Path, write: Callable[[Path], object], its_turn: Callable[[], object] = lambda: None
) -> None:
    """Write under a temporary name, sync, then rename: the file appears whole or not at all.

    Args:
        its_turn: called when all is written and before it gets its name; when it raises, nothing appears.
    """
    temporary = path.with_name(path.name + ".writing")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        its_turn()
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


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
