"""What reports are made of: one HTML document without a link, and every word in it that is not ours escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.jobs.event_log import read_events

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1916;max-width:960px;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:1.7rem 0 .4rem;border-bottom:1px solid #ddd7cd}
.lead{color:#6e6860;margin:0 0 1rem}.caveats{background:#fbeee6;border-left:4px solid #c9501f;padding:.5rem .9rem;margin:1rem 0}
.caveats ul{margin:.2rem 0;padding-left:1.1rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid #e6e1d8;text-align:right}th:first-child{text-align:left;font-weight:500}
thead th{font-size:.85rem;color:#6e6860}.row{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 260px}
figure img{width:100%;border-radius:6px}figcaption{font-size:.83rem;color:#6e6860}svg{width:100%;max-width:430px}svg text{font-size:11px;fill:#6e6860}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0}dt{color:#6e6860}dd{margin:0;overflow-wrap:anywhere}
.legend span{display:inline-flex;gap:.4rem;align-items:center;margin-right:1rem;font-size:.85rem}
.legend i{width:.8rem;height:.8rem;border-radius:3px;border:1px solid #0003}
pre{background:#f6f3ee;padding:.8rem;font-size:.78rem;white-space:pre-wrap;overflow-wrap:anywhere}
@media screen and (prefers-color-scheme:dark){body{background:#161412;color:#ece7e0}.caveats{background:#3d2013}pre{background:#24211d}h2,th,td{border-color:#3b362f}
.lead,thead th,figcaption,dt{color:#b8b0a6}svg text{fill:#b8b0a6}.legend i{border-color:#fff5}svg [stroke="#ddd"]{stroke:#3b362f}a{color:#f0946c}}
@media (max-width:600px){table{display:block;overflow-x:auto}}
@media print{html{font-size:11px}body{margin:0;max-width:none;font-size:1rem}figure{flex-basis:170px}h2,figure,table,.caveats{break-inside:avoid}h2{break-after:avoid}pre{font-size:8px}}
"""


def document(title: str, body: Iterable[str]) -> str:
    """The whole page.

    Args:
        body: HTML.
    """
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{safe(title)}</title>"
    return f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"


def lead(folder: Path) -> str:
    """Which run it is, and when it ended."""
    events = read_events(folder)
    when = (
        f"{datetime.fromtimestamp(events[-1][0], UTC):%d %B %Y, %H:%M} UTC" if events else "time not recorded"
    )
    return f"Run {folder.name}, finished {when}. Written by Emberscope."


def caveats(found: Iterable[str]) -> str:
    """What has to be known before anything else is read."""
    return f"<div class='caveats'><b>Read this first</b><ul>{''.join(f'<li>{safe(one)}</li>' for one in found)}</ul></div>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return f"<dl>{''.join(f'<dt>{safe(name)}</dt><dd>{safe(value)}</dd>' for name, value in pairs)}</dl>"


def table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table: the head of each column, then (head of the row, its cells)."""
    head = "".join(f"<th scope='col'>{safe(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{safe(name)}</th>{''.join(f'<td>{safe(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def safe(text: str) -> str:
    """Text that HTML shows letter by letter."""
    return html.escape(str(text), quote=True)
