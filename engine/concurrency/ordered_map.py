"""Results in the order of their items, made by threads before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(
    items: Iterable[T],
    work: Callable[[T], R],
    threads: int,
    name: str,
    start_thread: Callable[[], object] | None = None,
) -> Generator[R]:
    """What `work` makes of each item, in the order of the items.

    One result a thread waits to be taken, and no more, so that memory stays flat however many items there are. The
    items themselves are made by the thread that takes the results. Closing the generator drops what has not begun
    and waits for what has; an error of `work` is raised in its turn.

    Args:
        name: what the threads' names begin with.
        start_thread: called once by each thread before its first item.
    """
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=start_thread)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def one_ahead(items: Iterable[T]) -> Generator[T]:
    """The same items, each handed on once the next one has been made."""
    before: list[T] = []
    for item in items:
        yield from before
        before = [item]
    yield from before
