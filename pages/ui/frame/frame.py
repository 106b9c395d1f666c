"""The frame around every page: navigation on top, the workspace, and the job under way beside it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui import workspace
from pages.ui.frame import glossary_popover, under_way, workspace_choice
from pages.ui.look import style
from pages.ui.look.palette import theme
from pages.ui.map.routes.serving import BRAND
from pages.ui.start import guide_bar
from pages.ui.state import bound, session

_PAGES = Path(__file__).resolve().parents[2]
_NAMES = (
    "start",
    "explore",
    "extract",
    "embeddings",
    "compare",
    "label",
    "train",
    "evaluate",
    "leaderboard",
    "apply",
    "backbones",
    "runs",
)


def draw() -> None:
    """Draw the frame and, inside it, the page that was asked for."""
    st.set_page_config(page_title="Emberscope", page_icon=str(BRAND / "icon.svg"), layout="wide")
    chosen = st.navigation([_page(name) for name in _NAMES], position="top")
    st.logo(str(BRAND / f"logo-{theme()}.svg"), size="large")
    style.apply()
    workspace_choice.require(workspace.take_from_address())
    session.restore_from_address()
    workspace_choice.show()
    glossary_popover.show()
    with st.container(key="jobs_under_way"):
        under_way.show()
    bound.come_to(chosen.url_path)
    session.refuse_what_is_absent()
    guide_bar.show()
    chosen.run()
    bound.compare_with_widgets()


def _page(name: str) -> object:
    return st.Page(_PAGES / f"{name}.py", title=name.capitalize(), default=name == _NAMES[0])
