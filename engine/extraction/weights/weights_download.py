"""Weights that are not on this machine yet are fetched as a step of the job, which says how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import family_of
from engine.backbones.weights import locate as weights
from engine.extraction.plan import Plan
from engine.extraction.step_words import FETCHING
from engine.jobs.download_steps import told_download
from engine.jobs.events import Event


def fetch_weights(plan: Plan) -> Iterator[Event]:
    """Fetch what the backbone needs and this machine has not; nothing where weights are given or random.

    Yields:
        StepStarted about every two seconds: megabytes so far, and of how many.

    Raises:
        WeightsError: offline, refused by the publisher, cut short or of a wrong hash.
        DiskFull: no room; another try goes on where this one ended.
    """
    if plan.weights != "pretrained":
        return
    for card in (plan.spec, *family_of(plan.spec).companions(plan.spec).values()):
        if card.weights.kind == "hub" and weights.present(card) is None:
            yield from fetched(card)


def fetched(card: BackboneSpec) -> Iterator[Event]:
    """Fetch the checkpoint of a card, telling how far it is; raises as `fetch_weights`."""
    yield from told_download(
        f"{FETCHING} {card.weights.file} of {card.title}", lambda note: weights.fetch(card, note)
    )
