"""The places of one's own as a list: renamed, corrected, removed; one whose files went away says so."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.explore import own_draft, own_files
from pages.ui.look import errors, wording
from pages.ui.state import own_places, session, uploads


def offer() -> None:
    """The list behind a button; nothing where there are no places of one's own."""
    places = own_places.listed()
    if not places:
        return
    with st.popover("My places", icon=":material/bookmarks:", key="own_list"):
        for number, one in enumerate(places):
            if number:
                st.divider()
            _row(one)


def _row(one: own_places.Listed) -> None:
    if one.trouble:
        st.warning(wording.told(one.trouble), icon=":material/link_off:")
    if one.kept is not None:
        _rename(one.key, one.kept)
        where = [_where(path) for path in own_places.paths_of(one.kept.scene)] or [one.kept.scene.title]
        st.caption(wording.plain(", ".join(where)))
    with st.container(horizontal=True):
        if one.kept is not None:
            has_files = bool(own_places.paths_of(one.kept.scene))
            if (
                has_files
                and not one.trouble
                and st.button("Correct", key=f"own_edit_{one.key}", icon=":material/edit_note:")
            ):
                own_draft.open_place(one.kept.scene, one.kept.title)
        _remove(one)


def _where(path: Path) -> str:
    """Where the files are, as a person knows it."""
    return f"{path.name}, dropped into the page" if uploads.is_upload(path) else str(path)


def _rename(key: str, kept: own_places.KeptPlace) -> None:
    """The name in a field; the Enter key does what the button does."""
    with st.form(f"own_name_form_{key}", border=False):
        typed = st.text_input(
            "Name", kept.title, key=f"own_name_{key}_{kept.title}", max_chars=own_places.LONGEST_TITLE
        )
        is_asked = st.form_submit_button("Rename", key=f"own_rename_{key}", icon=":material/label:")
    if is_asked:
        with errors.in_words(stop=False):
            own_places.rename(key, typed)
            st.rerun()


def _remove(one: own_places.Listed) -> None:
    """Asked twice where files that were dropped into the page would go with it."""
    asked = f"own_asked_{one.key}"
    dropped = one.kept is not None and bool(own_files.uploads_of(one.kept.scene))
    if not st.session_state.get(asked):
        if st.button("Remove", key=f"own_remove_{one.key}", icon=":material/delete:"):
            if dropped:
                st.session_state[asked] = True
            else:
                _forget(one)
            st.rerun()
        return
    st.caption(
        "Its files were dropped into the page and are deleted with it, unless a run or another place needs them."
    )
    if st.button(
        "Remove and delete its files", key=f"own_sure_{one.key}", icon=":material/delete:", type="primary"
    ):
        st.session_state.pop(asked)
        _forget(one)
        st.rerun()
    if st.button("Keep it", key=f"own_stay_{one.key}"):
        st.session_state.pop(asked)
        st.rerun()


def _forget(one: own_places.Listed) -> None:
    with errors.in_words(stop=False):
        own_places.remove(one.key)
        if one.kept is not None and not own_files.release(one.kept.scene):
            st.toast(
                "A run or another place needs the files of this place: they are kept.", icon=":material/info:"
            )
        if session.place_key() == one.key:
            session.set_place(session.FIRST.key)
