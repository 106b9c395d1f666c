"""A download as a step of a job, which says how far it is and can be ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from engine.jobs.events import Event, StepStarted

# Seconds between two words on a download.
_TELL_S = 2.0
Note = Callable[[int, int | None], None]


def told_download(what: str, fetch: Callable[[Note], object]) -> Iterator[Event]:
    """Run a download in a thread of its own; what it raises is raised here.

    Args:
        what: it is, in words.
        fetch: downloads, and calls what it is given with bytes so far and the total.

    Yields:
        StepStarted about every two seconds: megabytes so far, and of how many.
    """
    progress = _Progress(what)
    yield StepStarted(progress.words())
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as pool:
        fetching: Future[object] = pool.submit(fetch, progress.note)
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
