"""A run from the zip of one, which was made on this machine or on another."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path, PurePosixPath
from typing import IO

from engine.archives import Limits, entries
from engine.errors import BadInput, ConfigError, DiskFull
from engine.files import make_folder, slug, write_errors
from engine.jobs.configuration.config import parse_config, read_yaml
from engine.jobs.folder import CONFIG, PROCESS, STOP, touch_workspace
from engine.jobs.job import Job
from engine.jobs.keeping.zip_stream import LEFT_OUT

_MOST_FILES, _LONGEST_NAME, _DEEPEST = 20_000, 200, 12
# Room that stays free on the disk, besides what the archive unpacks to.
_SPARE_BYTES = 500_000_000

# Names the file that a store in place is read from (store/store.py:REFERENCE).
_IN_PLACE = "reference.json"


def open_archive(file: IO[bytes], workspace: Path) -> Job:
    """The run of an archive as a run of a workspace; it appears complete or not at all.

    Names of the archive become paths below a new folder only: one that leads out of it, is no plain file, or could be
    read in two ways refuses the whole archive.

    Raises:
        BadInput: not an archive of one run, damaged, or one that could write elsewhere.
        DiskFull: no room.
    """
    make_folder(workspace)
    half = workspace / f".opening-{secrets.token_hex(4)}"
    try:
        top = _unpacked(file, half)
        parse_config(read_yaml(half / CONFIG), "The archive's config.yaml")
        folder = _free_folder(workspace, top)
        with write_errors(folder):
            half.rename(folder)
    except ConfigError as err:
        raise BadInput(f"The archive holds no run that this version reads. {err}") from err
    finally:
        shutil.rmtree(half, ignore_errors=True)
    touch_workspace(folder)
    return Job(folder)


def _unpacked(file: IO[bytes], half: Path) -> str:
    """Write the files of an archive below a new folder.

    Returns:
        The name of the one folder in the archive that holds them all.

    Raises:
        BadInput: as `open_archive`.
    """
    make_folder(half)
    tops, held = set[str](), set[str]()
    for entry in entries(file, "The archive", _limits(half)):
        _require_plain(entry.name)
        tops.add(_top(entry.name))
        path = PurePosixPath(*PurePosixPath(entry.name).parts[1:])
        if len(tops) > 1:
            raise BadInput(
                "The archive is not that of one run: all of its files lie in one folder. Download it from Runs."
            )
        if path.suffix in LEFT_OUT or path.name in (PROCESS, STOP):
            continue
        if path.name == _IN_PLACE:
            raise BadInput(
                "The run of the archive reads its embeddings from a file of another machine. Open that file here instead."
            )
        if str(path).lower() in held:
            raise BadInput("The archive holds two files of one name. Download the run again.")
        held.add(str(path).lower())
        entry.copy_to(half / path)
    if CONFIG not in held:
        raise BadInput(f"The archive holds no {CONFIG}, so it is not that of a run. Download it from Runs.")
    return tops.pop()


def _limits(folder: Path) -> Limits:
    """As much as the disk has room for.

    Raises:
        DiskFull: there is none.
    """
    free = shutil.disk_usage(folder).free - _SPARE_BYTES
    if free <= 0:
        raise DiskFull(f"The disk of {folder.parent} is full. Free some space, then try again.")
    return Limits(_MOST_FILES, free)


def _require_plain(name: str) -> None:
    """Refuse the name of a member that is no file below the archive's one folder on any system.

    Raises:
        BadInput: it is not.
    """
    parts = name.split("/")
    is_plain = (
        name.isprintable() and not set(name) & set(':*?"<>|') and len(name) <= _LONGEST_NAME and 1 < len(parts) <= _DEEPEST
        and all(part.strip(". ") and part == part.strip() for part in parts)
    )  # fmt: skip
    if not is_plain:
        shown = "".join(sign for sign in name if sign.isprintable())[:80]
        raise BadInput(
            f"The archive holds {shown!r}, which is no file of a run's folder. Nothing of it was unpacked."
        )


def _top(name: str) -> str:
    return PurePosixPath(name).parts[0]


def _free_folder(workspace: Path, name: str) -> Path:
    """A folder of the run's own name, or one like it where that is taken."""
    plain = slug(name, keep="._-", most=80).strip(".-") or "run"
    names = [plain, *(f"{plain}-{number}" for number in range(2, 1000))]
    return next(folder for found in names if not (folder := workspace / found).exists())
