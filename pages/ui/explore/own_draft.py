"""Files that were opened and are no place yet: how they are read so far, until they are used or the dialog is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import BaseModel, ValidationError

from engine.errors import ConfigError, EngineError
from engine.imagery.sources import FilesScene, SceneConfig, StackScene
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import RegionConfig
from pages.ui.explore import own_files
from pages.ui.map.routes import tiles
from pages.ui.state import own_answers, own_places

_KEY, _TURN = "own_draft", "own_turn"


@dataclass(frozen=True)
class Draft:
    """What is open in the dialog.

    Attributes:
        scene: the source with what was said of it before; the fields of the dialog are added to it.
        turn: of the dialog's fields; each opening has another, so that none keeps what was said of other files.
        is_recalled: the scene carries what was said of files of this folder before.
        title: the name to begin with; "" for one from the files.
        region: dropped together with the files.
        left_out: names of rasters beside these that cannot be read.
        waiting: sources that are opened after this one, each as a place; total: how many there are with this one and those before.
        titles: of places of one file, by its name.
    """

    scene: SceneConfig
    turn: int
    is_recalled: bool = False
    title: str = ""
    region: RegionConfig | None = None
    left_out: tuple[str, ...] = ()
    waiting: tuple[SceneConfig, ...] = ()
    total: int = 1
    titles: Mapping[str, str] = field(default_factory=dict)


def current() -> Draft | None:
    """The files that are open in the dialog."""
    found = st.session_state.get(_KEY)
    return found if isinstance(found, Draft) else None


def open_path(
    path: Path, region: RegionConfig | None = None, titles: Mapping[str, str] | None = None
) -> None:
    """Open a file or folder as files of its folder were corrected before.

    Args:
        region: chosen when the place is used.
        titles: of places of one file, by its name; others begin with one from the files.

    Raises:
        SceneError: there is no raster, or it lies in a folder that may not be shown.
    """
    tiles.require_shown(path)
    plain, left_out = own_files.readable_source(path)
    scene, is_recalled = _recalled(plain)
    drafted = Draft(scene, _next_turn(), is_recalled, "", region, left_out, titles=titles or {})
    _set(replace(drafted, title=_title(drafted)))


def open_place(scene: SceneConfig, title: str) -> None:
    """Open the files of a place again, with what was said of them."""
    _set(Draft(scene, _next_turn(), title=title))


def forget_said(draft: Draft) -> None:
    """Read the files as they are, now and the next ones of their folder."""
    kept = {
        name: getattr(draft.scene, name, None) for name in ("source", "path", "paths", "images", "access")
    }
    plain = type(draft.scene).model_validate(
        {name: value for name, value in kept.items() if value is not None}
    )
    own_answers.forget(own_files.folder_of(plain), own_files.layouts_of(plain))
    _set(replace(draft, scene=plain, turn=_next_turn(), is_recalled=False))


def read_as_series(draft: Draft, is_series: bool) -> None:
    """Read several rasters as dates of one place, or as parts of one image that fill one another."""
    kept = {
        name: value for name, value in draft.scene.model_dump().items() if name not in ("source", "dates")
    }
    kind: type[FilesScene | StackScene] = StackScene if is_series else FilesScene
    scene = kind.model_validate({"source": "stack" if is_series else "files", **kept})
    _set(replace(draft, scene=scene, turn=_next_turn()))


def read_apart(draft: Draft, sources: Sequence[SceneConfig]) -> None:
    """Open the first of some sources that were read together, and then the others, each as a place of its own."""
    _next(replace(draft, waiting=tuple(sources), total=len(sources)))


def go_on(draft: Draft) -> bool:
    """Open the next of the sources that become a place each.

    Returns:
        Whether there was one.
    """
    if draft.waiting:
        _next(draft)
    return bool(draft.waiting)


def leave() -> None:
    """Close the dialog; files that were dropped for it and are used nowhere are deleted."""
    draft = current()
    close()
    if draft is not None:
        own_files.release(draft.scene)


def close() -> None:
    """Close the dialog and keep all files."""
    st.session_state.pop(_KEY, None)


def with_said(scene: SceneConfig, said: Mapping[str, Any]) -> SceneConfig:
    """A source with what a person says of its rasters.

    Raises:
        ConfigError: a value that cannot be used.
    """
    kind: type[BaseModel] = type(scene)
    try:
        return kind.model_validate({**scene.model_dump(), **said})
    except ValidationError as err:
        raise ConfigError(f"{scene.title}: {in_words(err, kind)}") from err


def _next(draft: Draft) -> None:
    scene, is_recalled = _recalled(draft.waiting[0])
    turn = _next_turn()
    following = replace(draft, scene=scene, turn=turn, is_recalled=is_recalled, waiting=draft.waiting[1:])
    _set(replace(following, title=_title(following)))


def _title(draft: Draft) -> str:
    """What the owner of a file calls it; empty of several files."""
    paths = own_places.paths_of(draft.scene)
    return draft.titles.get(paths[0].name, "") if len(paths) == 1 else ""


def _recalled(plain: SceneConfig) -> tuple[SceneConfig, bool]:
    """A source with what was said of such files of its folder before, and whether anything was.

    Raises:
        SceneError: a raster cannot be opened.
    """
    said = own_answers.recall(own_files.folder_of(plain), own_files.layouts_of(plain))
    try:
        return with_said(plain, said), bool(said)
    except EngineError:
        return plain, False


def _set(draft: Draft) -> None:
    st.session_state[_KEY] = draft


def _next_turn() -> int:
    turn = int(st.session_state.get(_TURN, 0)) + 1
    st.session_state[_TURN] = turn
    return turn
