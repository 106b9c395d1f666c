"""Workspaces: a folder of runs for each person, and the folder whose data and devices all of them share.

The default workspace has no name and is the shared folder itself; `workspaces/NAME` below it is that of a name.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from pathlib import Path

from engine.errors import BadInput
from engine.paths import PROJECT

FOLDER = "workspaces"
LONGEST = 32
_NAME = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?")
# Names that Windows keeps for devices: a workspace may be copied there.
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")


def runs_root() -> Path:
    """The default workspace, which all others share: EMBERSCOPE_HOME, or `runs` in the project's folder."""
    return _resolved(os.environ.get("EMBERSCOPE_HOME") or str(PROJECT / "runs"))


@functools.lru_cache(maxsize=16)
def _resolved(folder: str) -> Path:
    """Without links; asked hundreds of times for a page with a map."""
    return Path(folder).resolve()


def is_name(words: str) -> bool:
    """Whether a word can name a workspace: lower-case letters, digits and hyphens; so it is never a path."""
    return bool(_NAME.fullmatch(words)) and not _RESERVED.fullmatch(words)


def name_of(words: str) -> str:
    """The name that is nearest to what a person typed: "Anna Müller" becomes "anna-muller".

    Raises:
        BadInput: nothing of it can be a name.
    """
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-")
    if not is_name(found):
        raise BadInput(
            f"{words.strip()[:LONGEST] or 'An empty name'} cannot name a workspace. Use letters and digits, such as anna-2."
        )
    return found


def workspace_folder(name: str) -> Path:
    """The folder of a workspace; that of the empty name is the default one's.

    Raises:
        BadInput: not a name.
    """
    if not name:
        return runs_root()
    if not is_name(name):
        raise BadInput(
            f"{name[:LONGEST]!r} is no name of a workspace. It has at most {LONGEST} lower-case letters, digits and hyphens."
        )
    return runs_root() / FOLDER / name


def workspace_name(folder: Path) -> str:
    """The name of the workspace that a folder is; empty for the default one, and for any other folder."""
    return folder.name if folder.parent == runs_root() / FOLDER and is_name(folder.name) else ""


def workspace_of(run_folder: Path) -> Path:
    """The workspace that a run folder lies in; the default one for a folder elsewhere."""
    return run_folder.parent if workspace_name(run_folder.parent) else runs_root()


def shared_root(workspace: Path) -> Path:
    """Where what all workspaces share is kept: simulated seasons, measured speeds, the queues of devices.

    A folder that is no workspace of a name shares with nobody: it is its own.
    """
    return runs_root() if workspace_name(workspace) else workspace


def is_of_another(path: Path, workspace: Path) -> bool:
    """Whether a path lies in a named workspace that is not this one."""
    return path.is_relative_to(runs_root() / FOLDER) and not (
        bool(workspace_name(workspace)) and path.is_relative_to(workspace)
    )


def workspaces() -> list[Path]:
    """The folders of all workspaces, the default one first."""
    named = sorted(path for path in (runs_root() / FOLDER).glob("*") if path.is_dir() and is_name(path.name))
    return [runs_root(), *named]
