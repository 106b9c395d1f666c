"""Whose workspace the pages show, in the bar on top, and the way to another one."""

from __future__ import annotations

import html

import streamlit as st

from engine.errors import BadInput
from engine.workspace import LONGEST, name_of
from pages.ui import workspace
from pages.ui.door import password, sign_in
from pages.ui.look import wording

_COMMON = "Common workspace"


def require(wrong: str) -> None:
    """End the page where the address names what can be no workspace: no other one is shown in its place.

    In a workshop, a server with a password, everybody works under a name.

    Args:
        wrong: what it names; empty where it names none or a good one.
    """
    if not wrong and (workspace.name() or not password.is_asked()):
        return
    if wrong:
        st.warning(
            f"{wording.plain(wrong[:80])} is no name of a workspace, so nothing of it can be shown.",
            icon=":material/error:",
        )
    _ask("Name of the workspace", "arrival")
    st.stop()


def show() -> None:
    """The name of the workspace; pressed, it tells what that is and leads to another."""
    with (
        st.container(key="workspace"),
        st.popover(
            workspace.name() or _COMMON,
            icon=":material/person:",
            key=f"workspace_popover_{workspace.name()}",
            type="tertiary",
        ),
    ):
        st.markdown("**Workspace**")
        st.caption(
            "Runs, places and labels belong to a workspace. Whoever gives the same name sees the same ones: "
            "a name keeps people apart, it is no password."
        )
        _ask("Another workspace", "other")
        if (
            workspace.name()
            and not password.is_asked()
            and st.button("To the common workspace", key="workspace_common", icon=":material/group:")
        ):
            _turn_to("")
        if password.is_asked():
            _sign_out()


def _sign_out() -> None:
    """The way out of a workshop's server, for a machine that others use too."""
    st.html(
        f'<form method="post" action="{html.escape(sign_in.out_address())}" target="_self">'
        '<button class="es-out">Sign out</button></form>'
    )
    st.caption("Ends the session of this browser. Jobs go on, and what was made stays in your workspace.")


def _ask(label: str, key: str) -> None:
    with st.form(f"workspace_{key}", border=False):
        typed = st.text_input(label, max_chars=LONGEST, key=f"workspace_name_{key}", placeholder="anna")
        if st.form_submit_button("Open it", key=f"workspace_open_{key}", type="primary"):
            try:
                found = name_of(typed)
            except BadInput as err:
                st.warning(wording.told(str(err)), icon=":material/error:")
                return
            _turn_to(found)


def _turn_to(name: str) -> None:
    """To the first page of a workspace, with nothing of the one before."""
    workspace.choose(name)
    st.switch_page("pages/start.py", query_params=workspace.in_address())
