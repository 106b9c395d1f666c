"""The workspace of a visit: whose runs, places and labels its pages read and write. The address names it.

Pages hand `folder()` to the engine, which knows nothing of visits. Outside a page (a test, the server's own routes) it
is the default workspace's; a thread that a page starts must be handed the folder.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.workspace import is_name, shared_root, workspace_folder

_KEY = "workspace"


def name() -> str:
    """The name of the workspace; empty for the default one."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ""
    return str(st.session_state.get(_KEY, ""))


def folder() -> Path:
    """Where its runs, and whatever else its person keeps, lie; made when something is first kept."""
    return workspace_folder(name())


def shared() -> Path:
    """Where the data that all workspaces share lie."""
    return shared_root(folder())


def take_from_address() -> str:
    """Turn to the workspace of the address; the address gets the one of the visit where it names none.

    Returns:
        What the address names where that is no name of a workspace, else an empty word.
    """
    asked = st.query_params.get(_KEY)
    if asked and not is_name(asked):
        return asked
    if asked is not None and asked != name():
        choose(asked)
    elif name() and asked is None:
        st.query_params[_KEY] = name()
    return ""


def choose(wanted: str) -> None:
    """Turn to another workspace; what was chosen in the last one is forgotten with the whole address of it."""
    if name() != wanted and _KEY in st.session_state:
        for key in list(st.session_state):
            del st.session_state[key]
    st.session_state[_KEY] = wanted
    if wanted:
        st.query_params[_KEY] = wanted
    elif _KEY in st.query_params:
        del st.query_params[_KEY]


def in_address() -> dict[str, str]:
    """What an address has to carry for the same workspace: for links, and for pages that are switched to."""
    return {_KEY: name()} if name() else {}
