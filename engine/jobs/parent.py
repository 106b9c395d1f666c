"""Which run another one was started for, such as the baselines of a training: kept in its folder."""

from __future__ import annotations

from pathlib import Path

from engine.files import write_atomic

PARENT = "parent"


def write_parent(folder: Path, run_id: str) -> None:
    """Note for which run a run was started.

    Raises:
        DiskFull: no room.
    """
    write_atomic(folder / PARENT, lambda temporary: temporary.write_text(run_id, encoding="utf-8"))


def read_parent(folder: Path) -> str | None:
    """The id of the run that a run was started for; None where it stands alone."""
    try:
        return (folder / PARENT).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None
