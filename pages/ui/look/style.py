"""What Streamlit's theme does not reach: the rules of assets/page/page.css, and the small pieces of HTML that they style."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

import streamlit as st

from pages.ui.look import glossary, notices
from pages.ui.look.palette import STATES

_PAGE = Path(__file__).resolve().parents[3] / "assets" / "page"
_CSS, _DROP, _GUIDE_FOCUS = _PAGE / "page.css", _PAGE / "drop.js", _PAGE / "guide_focus.js"


def apply() -> None:
    """Put the rules on the page."""
    st.html(_CSS)


def take_drops() -> None:
    """Let files that are dropped anywhere on the page go to its field for dropped files."""
    st.html(f"<script>{_DROP.read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)


def keep_keyboard_on_guide(when: str) -> None:
    """Put the keyboard on the guided path's highlighted button.

    Args:
        when: another word runs the script again.
    """
    script = _GUIDE_FOCUS.read_text(encoding="utf-8")
    st.html(f"<script>/* {html.escape(when)} */ {script}</script>", unsafe_allow_javascript=True)


def heading(title: str, lead: str) -> None:
    """The page's title and one sentence on what it is for."""
    st.title(title, anchor=False)
    st.html(f'<p class="es-lead">{glossary.explained(lead)}</p>')
    notices.refused_link()


def facts(pairs: Iterable[tuple[str, str]], *, small: bool = False) -> None:
    """Short facts side by side: (what, value), both plain text."""
    cells = "".join(
        f"<div><dt>{glossary.explained(name, is_stop=False)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in pairs
    )
    st.html(f'<dl class="es-facts{" es-small" if small else ""}">{cells}</dl>')


def small(words: str) -> None:
    """A remark below numbers."""
    st.html(f'<p class="es-small-print">{glossary.explained(words)}</p>')


def map_name(where: str, words: str) -> None:
    """What one of two maps shows, on its upper edge.

    Args:
        where: "first" or "second".
    """
    st.html(f'<p class="es-map-name es-{where}-map">{html.escape(words)}</p>')


def legend(entries: Iterable[tuple[str, str]], note: str = "") -> None:
    """Colours and their meaning: (CSS colour, words)."""
    cells = "".join(
        f'<span><i style="background:{html.escape(c)}"></i>{html.escape(w)}</span>' for c, w in entries
    )
    st.html(f'<div class="es-legend">{cells}<small>{glossary.explained(note)}</small></div>')


def radio_colours(key: str, colours: Sequence[str]) -> None:
    """A patch of colour before the words of each radio button.

    Args:
        key: of the radio buttons.
        colours: of the buttons from first to last, such as #d55e00.
    """
    rules = "".join(
        f'.st-key-{key} [role="radiogroup"] > :nth-child({number}) p::before {{ background: {html.escape(colour)}; }}'
        for number, colour in enumerate(colours, 1)
    )
    swatch = 'content: ""; display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; border-radius: 2px;'
    st.html(f'<style>.st-key-{key} [role="radiogroup"] p::before {{ {swatch} }} {rules}</style>')


def css(colour: tuple[int, int, int, int]) -> str:
    """Red, green, blue and opacity (0 to 255) as CSS writes them."""
    red, green, blue, opacity = colour
    return f"rgb({red} {green} {blue} / {opacity / 255:.2f})"


def table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], *, wraps: bool = False) -> None:
    """A table of plain text: the head of each column, then (head of the row, its cells).

    Args:
        wraps: cells may have several lines, and heads are broken to fit.
    """
    head = "".join(f"<th scope='col'>{glossary.explained(name, is_stop=False)}</th>" for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    st.html(
        f'<div class="es-scroll"><table class="es-table{" es-wraps" if wraps else ""}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def state(word: str) -> str:
    """HTML of a job's state: a dot and the word, so that colour is not the only sign."""
    return f'<span class="es-state"><i style="background:{STATES[word]}"></i>{word.capitalize()}</span>'
