"""A run from the zip of one, which was made on this machine or on another."""

from __future__ import annotations

import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from engine.errors import BadInput, ConfigError, DiskFull
from engine.files import make_folder, slug, write_errors
from engine.jobs.configuration.config import parse_config, read_yaml
from engine.jobs.folder import CONFIG, PROCESS, STOP, touch_workspace
from engine.jobs.job import Job
from engine.jobs.keeping.zip_stream import LEFT_OUT

_MOST_FILES, _LONGEST_NAME, _DEEPEST = 20_000, 200, 12
# Room that stays free on the disk, besides what the archive unpacks to.
_SPARE_BYTES = 500_000_000
_BLOCK = 1 << 20


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
        with zipfile.ZipFile(file) as archive:
            members = _members_of_one_run(archive.infolist())
            _require_room(members, workspace)
            for member, inside in members:
                _unpack(archive, member, half / inside)
        parse_config(read_yaml(half / CONFIG), "The archive's config.yaml")
        folder = _free_folder(workspace, _top(members[0][0].filename))
        with write_errors(folder):
            half.rename(folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError) as err:
        raise BadInput(f"The archive cannot be unpacked ({str(err)[:80]}). Download the run again.") from err
    except ConfigError as err:
        raise BadInput(f"The archive holds no run that this version reads. {err}") from err
    finally:
        shutil.rmtree(half, ignore_errors=True)
    touch_workspace(folder)
    return Job(folder)


def _members_of_one_run(infos: Sequence[zipfile.ZipInfo]) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Each file with its path inside the run folder.

    Raises:
        BadInput: a name that is not a plain path below one folder, or no configuration among them.
    """
    files = [info for info in infos if not info.is_dir()]
    if len(files) > _MOST_FILES:
        raise BadInput(f"The archive holds {len(files):,} files; a run has at most {_MOST_FILES:,}.")
    for info in infos:
        _require_plain(info)
    if len({_top(info.filename) for info in files}) != 1:
        raise BadInput(
            "The archive is not that of one run: all of its files lie in one folder. Download it from Runs."
        )
    inside = [(info, PurePosixPath(*PurePosixPath(info.filename).parts[1:])) for info in files]
    kept = [
        (info, path)
        for info, path in inside
        if path.suffix not in LEFT_OUT and path.name not in (PROCESS, STOP)
    ]
    names = [str(path).lower() for _, path in kept]
    if len(set(names)) != len(names):
        raise BadInput("The archive holds two files of one name. Download the run again.")
    if CONFIG not in names:
        raise BadInput(f"The archive holds no {CONFIG}, so it is not that of a run. Download it from Runs.")
    return kept


def _require_plain(info: zipfile.ZipInfo) -> None:
    """Refuse a member that is no plain file or folder below the archive's one folder.

    Raises:
        BadInput: it is not.
    """
    name, mode = info.filename, info.external_attr >> 16
    parts = name.rstrip("/").split("/")
    is_plain = (
        name.isprintable() and not set(name) & set('\\:*?"<>|') and len(name) <= _LONGEST_NAME and len(parts) <= _DEEPEST
        and all(part.strip(". ") and part == part.strip() for part in parts)
        and (info.is_dir() or len(parts) > 1)
        and stat.S_IFMT(mode) in (0, stat.S_IFREG, stat.S_IFDIR)
    )  # fmt: skip
    if not is_plain:
        shown = "".join(sign for sign in name if sign.isprintable())[:80]
        raise BadInput(
            f"The archive holds {shown!r}, which is no file of a run's folder. Nothing of it was unpacked."
        )


def _require_room(members: Sequence[tuple[zipfile.ZipInfo, PurePosixPath]], workspace: Path) -> None:
    needed, free = sum(info.file_size for info, _ in members), shutil.disk_usage(workspace).free
    if needed + _SPARE_BYTES > free:
        raise DiskFull(
            f"The archive unpacks to {needed / 1e6:,.0f} MB, and the disk of {workspace} has {free / 1e6:,.0f} MB left. "
            "Free some space, then try again."
        )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write one file, never more of it than its header states."""
    make_folder(path.parent)
    with write_errors(path), archive.open(member) as packed, path.open("xb") as out:
        left = member.file_size
        while block := packed.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise BadInput(f"The archive holds more of {member.filename[-80:]!r} than it states.")
            out.write(block)


def _top(name: str) -> str:
    return PurePosixPath(name).parts[0]


def _free_folder(workspace: Path, name: str) -> Path:
    """A folder of the run's own name, or one like it where that is taken."""
    plain = slug(name, keep="._-", most=80).strip(".-") or "run"
    names = [plain, *(f"{plain}-{number}" for number in range(2, 1000))]
    return next(folder for found in names if not (folder := workspace / found).exists())
