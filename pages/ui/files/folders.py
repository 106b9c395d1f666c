"""The data folders of the server, to choose files from by looking instead of typing a path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.errors import SceneError
from engine.paths import PROJECT
from pages.ui import workspace
from pages.ui.look import wording
from pages.ui.map.routes import tiles

_MOST_SHOWN = 60
_MOST_SEARCHED = 20_000
_MOST_COUNTED = 2_000
_ICONS = {
    "folder": ":material/folder:", "raster": ":material/image:", "product": ":material/satellite_alt:",
    "chips": ":material/grid_view:", "file": ":material/scatter_plot:", "whole": ":material/scatter_plot:",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A file or folder of the list.

    Attributes:
        kind: "folder" is entered; anything else is opened.
        words: what is in it.
        name: what the list calls it; "" for its own name.
    """

    path: Path
    kind: str
    words: str
    name: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes:
        noun: how one file of it is called.
        kind: of an entry that is such a file.
        endings: of the files' names, in small letters.
        left_out: endings of files that are something else.
        folder: kind and words of a folder that is opened as a whole; None for one that is entered.
    """

    noun: str
    kind: str
    endings: tuple[str, ...]
    left_out: tuple[str, ...]
    folder: Callable[[Path], tuple[str, str] | None]


def roots() -> dict[str, Path]:
    """The folders that can be looked through, by what lists call them."""
    named = [Path(part) for part in os.environ.get("EMBERSCOPE_DATA", "").split(os.pathsep) if part]
    found = {path.name or str(path): path for path in named}
    return {
        **found,
        "Data of this server": workspace.shared() / "data",
        "Samples": PROJECT / "assets" / "samples",
    }


def choose(of: Wanted) -> Path | None:
    """The folders, what is in them, and a search; the file or folder that was picked in this run."""
    folder = _current()
    wanted = st.text_input(
        "Search", key="own_search", placeholder="Search by a part of the name", icon=":material/search:",
        label_visibility="collapsed",
    ).strip()  # fmt: skip
    _where(folder)
    picked = _whole_folder(folder, of) if folder is not None and not wanted else None
    found = list(_found(folder, wanted, of) if wanted else _entries(folder, of))
    with st.container(height=300, key="own_entries", gap=None):
        if not found:
            st.caption(
                "Nothing of that name is here." if wanted else f"No {of.noun}s and no folders are here."
            )
        for number, entry in enumerate(found[:_MOST_SHOWN]):
            if _row(entry, number, folder if wanted else None):
                picked = entry.path
    if len(found) > _MOST_SHOWN:
        st.caption(f"The first {_MOST_SHOWN} are shown. Search for a part of the name to see others.")
    return picked


def _row(entry: Entry, number: int, below: Path | None) -> bool:
    """One line of the list; a folder is entered, anything else is picked."""
    name = entry.name or (
        str(entry.path.relative_to(below)) if below in entry.path.parents else entry.path.name
    )
    label = f"{wording.plain(name)} · :small[{wording.plain(entry.words)}]"
    if not st.button(label, key=f"own_entry_{number}", icon=_ICONS[entry.kind], type="tertiary"):
        return False
    if entry.kind != "folder":
        return True
    _enter(entry.path)
    return False


def _enter(folder: Path | None) -> None:
    st.session_state["own_folder"] = folder
    st.session_state.pop("own_search", None)
    st.rerun()


def _current() -> Path | None:
    """The folder looked at; None: the list of all that can be looked through."""
    folder = st.session_state.get("own_folder")
    return folder if isinstance(folder, Path) and folder.is_dir() and _may_show(folder) else None


def _where(folder: Path | None) -> None:
    with st.container(horizontal=True):
        if folder is None:
            st.caption("Folders of this server")
            return
        if st.button("Up", key="own_up", icon=":material/arrow_upward:"):
            _enter(None if folder in roots().values() else folder.parent)
        st.caption(wording.plain(str(folder)))


def _whole_folder(folder: Path, of: Wanted) -> Path | None:
    """The folder itself, where its rasters are one place together and the button for that was pressed."""
    count = sum(1 for entry in _entries(folder, of) if entry.kind == "raster")
    if count > 1 and st.button(
        f"Open all {count} rasters of this folder as one place", key="own_whole", icon=":material/layers:"
    ):
        return folder
    return None


def _entries(folder: Path | None, of: Wanted) -> Iterator[Entry]:
    """Folders first, then files, each by name; what cannot be shown is left out."""
    if folder is None:
        for name, path in roots().items():
            if path.is_dir():
                yield Entry(path, "folder", _contents(path, of), name)
        return
    try:
        inside = sorted(folder.iterdir(), key=lambda path: (not path.is_dir(), path.name.casefold()))
    except OSError:
        return
    yield from (entry for path in inside if (entry := _entry(path, of)) is not None)


def _entry(path: Path, of: Wanted) -> Entry | None:
    if path.name.startswith(".") or not _may_show(path):
        return None
    if path.is_dir():
        return _folder(path, of)
    name = path.name.lower()
    if name.endswith(of.left_out) or not name.endswith(of.endings) or not path.is_file():
        return None
    return Entry(path, of.kind, wording.megabytes(path.stat().st_size / 1e6))


def _folder(path: Path, of: Wanted) -> Entry:
    try:
        whole = of.folder(path)
    except OSError:
        return Entry(path, "folder", "may not be read")
    return Entry(path, *whole) if whole is not None else Entry(path, "folder", _contents(path, of))


def _contents(path: Path, of: Wanted) -> str:
    """How many folders and wanted files a folder holds."""
    folders = files = 0
    try:
        with os.scandir(path) as inside:
            for number, one in enumerate(inside):
                folders += one.is_dir()
                files += one.name.lower().endswith(of.endings)
                if number >= _MOST_COUNTED:
                    return "many files"
    except OSError:
        return "may not be read"
    parts = [wording.count(files, of.noun)] * bool(files) + [wording.count(folders, "folder")] * bool(folders)
    return ", ".join(parts) or "empty"


def _found(folder: Path | None, wanted: str, of: Wanted) -> Iterator[Entry]:
    """What has a part of its name in common with the words, below a folder; of huge trees, the first part is searched."""
    seen = 0
    for start in [folder] if folder is not None else [path for path in roots().values() if path.is_dir()]:
        for place, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in [*folders, *sorted(names)]:
                seen += 1
                if (
                    wanted.casefold() in name.casefold()
                    and (entry := _entry(Path(place, name), of)) is not None
                ):
                    yield entry
            if seen > _MOST_SEARCHED:
                return


def _may_show(path: Path) -> bool:
    """Whether a path, with its links followed, lies in a folder that the app may show."""
    try:
        tiles.require_shown(path)
    except (SceneError, OSError, RuntimeError):  # RuntimeError: links in a circle, on Python before 3.13
        return False
    return True
