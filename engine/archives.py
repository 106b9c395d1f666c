"""Archives that people bring (zip and tar, also compressed), opened without trusting them.

An archive is refused as a whole when one of its members would land outside the folder that it is unpacked into, is a link
or a device, or when its members are too many, too large together, or packed as only a bomb is. Sizes are counted while
bytes come, not believed.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from engine.errors import BadInput
from engine.files import make_folder, write_errors

# From this size on, an archive may not unpack to more than so many times its own size: deflate reaches 1,032 on one repeated
# byte (zlib, "Maximum Expansion Factor"), rasters that were stored as they are seldom more than a hundred.
_SMALL_BYTES, _MOST_RATIO = 100_000_000, 200
_LONGEST_NAME, _DEEPEST = 400, 24
_BLOCK = 1 << 20
_ENCRYPTED = 1  # APPNOTE.TXT 4.4.4, general purpose bit 0
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257  # POSIX.1-1988, header field magic
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
_DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to.

    Attributes:
        most_files: members, whether they are taken or not.
        most_bytes: of all members together.
    """

    most_files: int
    most_bytes: int


@dataclass(frozen=True)
class Entry:
    """A file of an archive; it can be read until the next one is asked for.

    Attributes:
        name: its path inside the archive, with '/' between folders; never absolute, never with '..'.
        size: in bytes, as the archive states it.
        archive: what messages call the archive.
    """

    name: str
    size: int
    archive: str
    _open: Callable[[], IO[bytes]]

    def blocks(self) -> Iterator[bytes]:
        """Its content piece by piece, never more of it than the archive states.

        Raises:
            BadInput: damaged, encrypted, or longer than stated.
        """
        left = self.size
        with _told(self.archive), self._open() as packed:
            while block := packed.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise BadInput(
                        f"{self.archive} holds more of {self.name[-80:]!r} than it states, and is not unpacked."
                    )
                yield block

    def read(self) -> bytes:
        """Its whole content; raises as `blocks`."""
        return b"".join(self.blocks())

    def copy_to(self, path: Path) -> None:
        """Write it to a new file, and make the folders above.

        Raises:
            BadInput: as `blocks`, or the file is there already.
            DiskFull, RunFailure: it cannot be written.
        """
        make_folder(path.parent)
        with write_errors(path), path.open("xb") as out:
            for block in self.blocks():
                out.write(block)


def entries(file: IO[bytes], archive: str, limits: Limits) -> Iterator[Entry]:
    """The files of an archive, one after the other; folders are left out.

    Args:
        file: can be sought in.
        archive: what messages call it.

    Raises:
        BadInput: no archive, damaged, with a member that leads elsewhere, or a bomb.
    """
    with _told(archive):
        start = file.read(_TAR_MAGIC_AT + len(_TAR_MAGIC))
        size = file.seek(0, 2)
        file.seek(0)
        if start.startswith((_GZIP, _BZIP2, _XZ)) or start[_TAR_MAGIC_AT:] == _TAR_MAGIC:
            yield from _of_tar(_decompressed(file, start), file, archive, limits)
        elif zipfile.is_zipfile(file):
            yield from _of_zip(file, size, archive, limits)
        else:
            raise BadInput(f"{archive} is neither a zip nor a tar archive by its content. Pack it again.")


def _decompressed(file: IO[bytes], start: bytes) -> IO[bytes]:
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if start.startswith(_BZIP2):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if start.startswith(_XZ) else file


def _of_zip(file: IO[bytes], size: int, archive: str, limits: Limits) -> Iterator[Entry]:
    """The files of a zip, whose list is checked as a whole before the first one is given."""
    with zipfile.ZipFile(file) as opened:
        infos = opened.infolist()
        for number, info in enumerate(infos, 1):
            _require_few(number, archive, limits)
            kind = stat.S_IFMT(info.external_attr >> 16)
            _require_inside(info.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR), archive)
            if info.flag_bits & _ENCRYPTED:
                raise BadInput(f"{archive} is locked with a password. Pack it again without one.")
        _require_small(sum(info.file_size for info in infos), size, archive, limits)
        for info in infos:
            if not info.is_dir():
                yield Entry(_plain(info.filename), info.file_size, archive, partial(opened.open, info))


def _of_tar(content: IO[bytes], packed: IO[bytes], archive: str, limits: Limits) -> Iterator[Entry]:
    """The files of a tar as they come: it has no list."""
    total = 0
    with tarfile.open(fileobj=_Counted(content, packed, archive, limits), mode="r|") as opened:  # type: ignore[call-overload]
        for number, info in enumerate(opened, 1):
            _require_few(number, archive, limits)
            _require_inside(info.name, info.isreg() or info.isdir(), archive)
            total += info.size
            _require_small(total, None, archive, limits)
            if info.isreg():
                yield Entry(_plain(info.name), info.size, archive, partial(_file_of, opened, info))


def _file_of(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = opened.extractfile(info)
    assert found is not None  # a regular file
    return found


class _Counted:
    """What tarfile reads: bytes are counted as they are decompressed, also those of members that are passed over."""

    def __init__(self, content: IO[bytes], packed: IO[bytes], archive: str, limits: Limits) -> None:
        self._content, self._packed, self._archive, self._limits = content, packed, archive, limits
        self._given = 0

    def read(self, size: int) -> bytes:
        block = self._content.read(size)
        self._given += len(block)
        most = self._limits.most_bytes + 2_000 * self._limits.most_files  # with headers and padding
        if self._given > most:
            raise BadInput(_TOO_LARGE.format(archive=self._archive, most=self._limits.most_bytes / 1e6))
        _require_no_bomb(self._given, max(1, self._packed.tell()), self._archive)
        return block


_TOO_LARGE = (
    "{archive} unpacks to more than {most:,.0f} MB, and is not taken. Unpack it yourself and name its folder."
)


def _require_small(total: int, size: int | None, archive: str, limits: Limits) -> None:
    if total > limits.most_bytes:
        raise BadInput(_TOO_LARGE.format(archive=archive, most=limits.most_bytes / 1e6))
    if size is not None:
        _require_no_bomb(total, max(1, size), archive)


def _require_no_bomb(unpacked: int, packed: int, archive: str) -> None:
    if unpacked > _SMALL_BYTES and unpacked > _MOST_RATIO * packed:
        raise BadInput(
            f"{archive} unpacks to more than {_MOST_RATIO} times its size, as archives do that are to fill a disk. It is not taken."
        )


def _require_few(number: int, archive: str, limits: Limits) -> None:
    if number > limits.most_files:
        raise BadInput(
            f"{archive} holds more than {limits.most_files:,} files, and is not taken. Unpack it yourself and name its folder."
        )


def _require_inside(name: str, is_plain: bool, archive: str) -> None:
    """Refuse a member that is a link or a device, or whose name leads out of a folder on any system.

    Raises:
        BadInput: it is, or does.
    """
    parts = name.replace("\\", "/").split("/")
    leads_out = (
        name.startswith(("/", "\\", "~")) or ".." in parts or (len(name) > 1 and name[1] == ":")
        or "\0" in name or len(name) > _LONGEST_NAME or len(parts) > _DEEPEST
    )  # fmt: skip
    if leads_out or not is_plain:
        what = "which leads out of its folder" if leads_out else "which is a link or a device and no file"
        raise BadInput(f"{archive} holds {_shown(name)!r}, {what}. Nothing of it was unpacked.")


def _plain(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _shown(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable())[:80]


@contextmanager
def _told(archive: str) -> Iterator[None]:
    """Inside it, what is wrong with an archive's bytes is told in words."""
    try:
        yield
    except _DAMAGED as err:
        why = " ".join(str(err).split())[:80] or type(err).__name__
        raise BadInput(f"{archive} cannot be unpacked ({why}). Pack it again, or fetch it again.") from err
