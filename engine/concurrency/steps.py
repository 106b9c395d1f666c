"""Work that tells its steps as it goes: heard to its end, or done in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import TypeVar

Step = TypeVar("Step")
Result = TypeVar("Result")
# Seconds between two words on how far a thread is.
_TELL_S = 1.0


def heard(steps: Generator[Step, None, Result], hear: Callable[[Step], object] = lambda _: None) -> Result:
    """What a generator returns in the end; `hear` is called with each of its steps."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        hear(step)


def in_thread(work: Callable[[Callable[[Step], None]], Result]) -> Generator[Step, None, Result]:
    """Do work in a thread and pass its newest step on about every second.

    The thread is a daemon: a process that is told to end does not wait for it.

    Args:
        work: called with the function by which it tells a step.
    """
    said: list[Step] = []
    doing: Future[Result] = Future()

    def do() -> None:
        try:
            doing.set_result(work(said.append))
        except BaseException as err:
            doing.set_exception(err)

    threading.Thread(target=do, daemon=True, name="steps").start()
    told = 0
    while wait_for([doing], timeout=_TELL_S).not_done:
        if len(said) > told:
            told = len(said)
            yield said[-1]
    return doing.result()
