"""Paths as configurations give them, and the project's own folder."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def resolve_path(path: str) -> Path:
    """A path as given, or from the project's folder when it is not there."""
    given = Path(path).expanduser()
    return given if given.is_absolute() or given.exists() else PROJECT / given


def modified(path: Path) -> float:
    """Unix seconds of a file's or folder's last change, 0 when it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
