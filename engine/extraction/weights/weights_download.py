"""Weights that are not on this machine yet are fetched as a step of the job, which says how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import family_of
from engine.backbones.weights import locate as weights
from engine.extraction.plan import Plan
from engine.jobs.events import Event, StepStarted

# Seconds between two words on a download.
_TELL_S = 2.0


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
    progress = _Progress(f"Fetching {card.weights.file} of {card.title}")
    yield StepStarted(progress.words())
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as pool:
        fetching: Future[object] = pool.submit(weights.fetch, card, progress.note)
        told = progress.words()
        try:
            while wait_for([fetching], timeout=_TELL_S).not_done:
                if progress.words() != told:
                    told = progress.words()
                    yield StepStarted(told)
        finally:
            progress.is_unwanted = True
        fetching.result()


class _Unwanted(Exception):
    """Ends a download whose job has ended; what came is continued by the next."""


class _Progress:
    """Bytes so far, noted by the thread that fetches, and ended by the one that tells."""

    def __init__(self, what: str) -> None:
        self.is_unwanted = False
        self._what, self._done, self._total = what, 0, 0

    def note(self, done: int, total: int | None) -> None:
        if self.is_unwanted:
            raise _Unwanted
        self._done, self._total = done, total or 0

    def words(self) -> str:
        done_mb, total_mb = self._done / 1e6, self._total / 1e6
        if not self._done:
            return self._what
        return f"{self._what}: {done_mb:,.0f} MB" + (f" of {total_mb:,.0f} MB" if total_mb else "")
