"""Evaluate: how good the map is on places that the training never saw."""

from __future__ import annotations

from pages.ui.evaluate import compared, error_map, judged, places, plots, untaught
from pages.ui.evaluate import view as evaluate_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, notices, style
from pages.ui.map import stage
from pages.ui.state import results

_TITLE, _LEAD = (
    "Evaluate",
    "Scores on places that the decoder never saw, beside simple baselines, and its map beside the labels.",
)

runs = results.trainings()
if not chosen_run.is_shown(runs):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("train", runs)
    empty.empty(
        "Nothing to judge yet", "A training ends with one look at its test places; the scores then stand here.", "Train a decoder",
        "pages/train.py", "train",
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
with page.panel, errors.in_words():
    chosen = evaluate_view.choose_run(runs)
    run = evaluate_view.open_run(chosen)
    notices.simulated(run.decoder.is_simulated)
    notices.random_weights(run.decoder.is_random)
    judgement = judged.read(run)
    others = untaught.found(run, runs)
    rows = judged.rows(run, judgement, others) if judgement else []
    evaluate_view.headline(run)
    if rows:
        compared.verdict(run.task, rows)
    evaluate_view.way_on(chosen)
    shown = error_map.choose(run)
    place = places.choose(run.task, judgement, chosen.job.id) if judgement else None
with page.map, errors.in_words():
    error_map.show(run, chosen.job.id, shown, place)
with page.panel, errors.in_words():
    if judgement:
        compared.table(run.task, rows)
        untaught.offer(run, others)
        plots.show(run, judgement, rows)
    else:
        judged.offer(run)
        evaluate_view.confusion(run)
    evaluate_view.every_score(run)
    evaluate_view.history(run)
    evaluate_view.take_home(run, plots.places_and_methods(run, judgement, rows) if judgement else ())
