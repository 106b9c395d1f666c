"""Places of a person's own: their files by a name, kept in the workspace, one small JSON file each."""

from __future__ import annotations

import functools
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from engine.errors import BadInput
from engine.files import make_folder, write_atomic, write_errors
from engine.frozen import Frozen
from engine.imagery.sources import ZarrScene
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import SceneConfig
from engine.paths import resolve_path
from pages.ui import workspace

LONGEST_TITLE = 60
_KEY = re.compile(r"own-[0-9a-f]{8}")


class KeptPlace(Frozen):
    """A place as its file holds it."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE, description="What a person calls it.")
    scene: SceneConfig = Field(description="Its rasters, and what was said of them.")
    backbone: str = Field(description="The card that suits its bands and level.")
    added: datetime = Field(description="When it was opened, UTC.")


@dataclass(frozen=True)
class Listed:
    """A place of the list.

    Attributes:
        key: what the address says.
        kept: None where its file cannot be read.
        trouble: why it cannot be looked at, in words; "" where it can.
    """

    key: str
    kept: KeptPlace | None
    trouble: str = ""


def is_key(word: str) -> bool:
    """Whether a word of an address names a place of one's own."""
    return bool(_KEY.fullmatch(word))


def listed() -> list[Listed]:
    """All places of the workspace in the order in which they were opened, also those that cannot be looked at."""
    found = [_listed(path) for path in _folder().glob("own-*.json") if is_key(path.stem)]
    return sorted(
        found, key=lambda one: (one.kept is None, one.kept.added.isoformat() if one.kept else one.key)
    )


def keep(title: str, scene: SceneConfig, backbone: str) -> str:
    """Keep a place; one of the same name is replaced where it is of the same files.

    Returns:
        Its key.

    Raises:
        BadInput: the name is no name, or that of other files.
        DiskFull, RunFailure: it cannot be written.
    """
    named = _of_title(title)
    if named is not None and not _is_of_same_files(named, scene):
        raise BadInput(f"There is a place named {_plain(title)}. Choose another name.")
    key = named.key if named is not None else f"own-{secrets.token_hex(4)}"
    _write(key, _made(title, scene, backbone, datetime.now(UTC)))
    return key


def rename(key: str, title: str) -> None:
    """Give a place another name.

    Raises:
        BadInput: the name is no name, or another place has it; or the place is gone.
    """
    named, kept = _of_title(title), _kept(key)
    if named is not None and named.key != key:
        raise BadInput(f"There is a place named {_plain(title)}. Choose another name.")
    _write(key, _made(title, kept.scene, kept.backbone, kept.added))


def read_from_copy(key: str, scene: SceneConfig) -> None:
    """Let a place read the same scenes from their copy on this machine.

    Raises:
        BadInput, DiskFull, RunFailure: the place is gone, or it cannot be written.
    """
    _write(key, _kept(key).model_copy(update={"scene": scene}))


def remove(key: str) -> None:
    """Forget a place; its files are not touched.

    Raises:
        BadInput, RunFailure: it cannot be removed.
    """
    with write_errors(_path(key)):
        _path(key).unlink(missing_ok=True)


def free_title(wanted: str, scene: SceneConfig) -> str:
    """A name near the wanted one that no place of other files has."""
    plain = _plain(wanted)[:LONGEST_TITLE] or "My place"
    for number in range(1, 10_000):
        title = plain if number == 1 else f"{plain[: LONGEST_TITLE - 5]} {number}"
        named = _of_title(title)
        if named is None or _is_of_same_files(named, scene):
            return title
    return f"{plain[: LONGEST_TITLE - 9]} {secrets.token_hex(4)}"


def paths_of(scene: SceneConfig) -> tuple[Path, ...]:
    """The files and folders that a source names; none for scenes that are simulated."""
    if isinstance(scene, ZarrScene):
        return (scene.place(workspace.folder()),)
    named = getattr(scene, "paths", None) or (getattr(scene, "path", None),)
    return tuple(resolve_path(path) for path in named if path)


def _made(title: str, scene: SceneConfig, backbone: str, added: datetime) -> KeptPlace:
    try:
        return KeptPlace(title=_plain(title), scene=scene, backbone=backbone, added=added)
    except ValidationError as err:
        raise BadInput(
            f"A place needs a name of 1 to {LONGEST_TITLE} characters ({in_words(err, KeptPlace)})."
        ) from err


def _plain(title: str) -> str:
    """A name on one line, without signs that no screen shows."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in title).split())


def _of_title(title: str) -> Listed | None:
    wanted = _plain(title).casefold()
    return next((one for one in listed() if one.kept and one.kept.title.casefold() == wanted), None)


def _is_of_same_files(one: Listed, scene: SceneConfig) -> bool:
    assert one.kept is not None
    if not paths_of(scene):
        return one.kept.scene == scene
    return one.kept.scene.source == scene.source and paths_of(one.kept.scene) == paths_of(scene)


def _kept(key: str) -> KeptPlace:
    found = _listed(_path(key)) if is_key(key) and _path(key).is_file() else None
    if found is None or found.kept is None:
        raise BadInput(f"The place {key[:20]} is not there, or its file is damaged. Open its files again.")
    return found.kept


def _listed(path: Path) -> Listed:
    try:
        kept = _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return Listed(
            path.stem, None, f"{path.name} cannot be read as a place. Remove it and open its files again."
        )
    gone = [one for one in paths_of(kept.scene) if not one.exists()]
    return Listed(path.stem, kept, f"{gone[0]} is not there: it was moved or deleted." if gone else "")


@functools.lru_cache(maxsize=512)
def _read(path: Path, modified_ns: int) -> KeptPlace:
    """The place that a file holds; `modified_ns` is part of the key.

    Raises:
        OSError: it cannot be opened.
        ValueError: it holds no place.
    """
    del modified_ns
    return KeptPlace.model_validate_json(path.read_text(encoding="utf-8"))


def _write(key: str, kept: KeptPlace) -> None:
    make_folder(_folder())
    text = kept.model_dump_json(indent=1)
    write_atomic(_path(key), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _path(key: str) -> Path:
    assert is_key(key)
    return _folder() / f"{key}.json"


def _folder() -> Path:
    return workspace.folder() / "places"
