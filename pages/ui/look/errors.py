"""The one place where an error becomes words on a page; a traceback goes to the log, never to the page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from engine.errors import BadInput, EngineError
from pages.ui.look.wording import plain, told

# What the log says of it, and what the browser tests look for.
UNFORESEEN = "a page ended on an error that was not foreseen"
_log = logging.getLogger(__name__)


@contextmanager
def in_words(*, stop: bool = True) -> Iterator[None]:
    """Show an EngineError of the block as its message.

    Args:
        stop: end the page there; False goes on after the block.
    """
    try:
        yield
    except EngineError as err:
        tell(err)
        if stop:
            st.stop()


def tell(err: EngineError) -> None:
    """The message of an error, as a warning where the input was wrong, else as an error."""
    if isinstance(err, BadInput):
        st.warning(told(str(err)), icon=":material/error_outline:")
    else:
        st.error(told(str(err)), icon=":material/error:")


def tell_unforeseen(err: Exception) -> bool:
    """The app's last net: says that something broke and where the details are.

    Returns:
        True: Streamlit shows nothing of its own.
    """
    if isinstance(err, EngineError):
        tell(err)
        return True
    _log.error(UNFORESEEN, exc_info=err)
    st.error(
        f"This page could not be drawn ({plain(type(err).__name__)}). Your jobs and files are not touched. "
        "Reload the page; if it happens again, the server's log has the details.",
        icon=":material/error:",
    )
    return True
