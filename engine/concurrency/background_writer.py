"""Work in the background on what is handed over: items are taken in their order, and errors come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundWriter(Generic[T]):
    """Threads that do `write` on each item put.

    As a context manager it waits for the last item, or, after an error, drops those that have not begun.

    Args:
        depth: items in hand, begun or not; `put` waits while there are more.
        threads: with one, items are written one after the other; with several, up to so many at once.
    """

    def __init__(self, write: Callable[[T], None], depth: int, threads: int = 1) -> None:
        self._write, self._depth = write, depth
        self._in_hand: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="writer")
        self._is_over = False

    def __enter__(self) -> BackgroundWriter[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.close()

    def put(self, item: T) -> Future[None]:
        """Hand over one more item; the future tells when it is written.

        Raises:
            BaseException: what `write` raised on an earlier item.
        """
        future = self._pool.submit(self._write_unless_over, item)
        self._in_hand.append(future)
        self._wait_until(self._depth)
        return future

    def finish(self) -> None:
        """Wait until all items are written.

        Raises:
            BaseException: what `write` raised.
        """
        try:
            self._wait_until(0)
        finally:
            self.close()

    def close(self) -> None:
        """Drop what has not begun, and wait for what has; errors are not raised."""
        self._is_over = True
        wait(self._in_hand)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _wait_until(self, most: int) -> None:
        """Wait until no more items than so many are in hand; errors of finished ones are raised at once."""
        while self._in_hand and (len(self._in_hand) > most or self._in_hand[0].done()):
            self._in_hand.popleft().result()

    def _write_unless_over(self, item: T) -> None:
        if self._is_over:
            return
        try:
            self._write(item)
        except BaseException:
            self._is_over = True  # what was put meanwhile is dropped; the future carries the error
            raise
