"""Leaderboard: which backbone with which decoder maps best here, by how much, and how sure that is."""

from __future__ import annotations

from pages.ui.leaderboard import annual, choice, job, published, start, winner
from pages.ui.leaderboard import table as board
from pages.ui.look import errors, style
from pages.ui.state import results

style.heading(
    "Leaderboard",
    "Backbones and decoders taught alike, tested once on the same places, and compared with their intervals.",
)

shown = job.of_page()
if shown is not None:
    with errors.in_words():
        summary = job.show(shown)
    if summary is not None:
        with errors.in_words():
            board.verdict(summary)
            board.picture(summary, shown.id)
            board.table(summary)
            winner.offer(shown, summary)
            board.beyond(summary, shown.id)
            board.take_home(shown)
        published.show(summary)
    job.another(shown)
else:
    with errors.in_words():
        stores = results.stores()
        chosen = annual.choose(stores) if annual.is_asked(stores) else choice.choose(stores)
    with errors.in_words():
        start.show(chosen)
    job.earlier()
    published.show(None)
