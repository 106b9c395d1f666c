"""Work behind the encoder: one thread takes what is handed over, in order, and its errors come back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
# A thread that ended is noticed after so many seconds, even while its queue is full.
_LOOK_S = 1.0


class Behind(Generic[T]):
    """A thread that does `work` on each item put; leaving the block waits for the last, or, on an error, drops them.

    Args:
        depth: items that wait; `put` waits while there are so many.
    """

    def __init__(self, work: Callable[[T], None], depth: int) -> None:
        self._work = work
        self._waiting: queue.Queue[T | None] = queue.Queue(maxsize=depth)
        self._error: BaseException | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="behind", daemon=True)

    def __enter__(self) -> Behind[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = kind is not None
        self._offer(None)
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def put(self, item: T) -> None:
        """Hand over one more item.

        Raises:
            BaseException: what `work` raised on an earlier one.
        """
        self._offer(item)
        if self._error is not None:
            raise self._error

    def _offer(self, item: T | None) -> None:
        while self._thread.is_alive():
            try:
                self._waiting.put(item, timeout=_LOOK_S)
                return
            except queue.Full:
                continue

    def _run(self) -> None:
        while True:
            item = self._waiting.get()
            if item is None:
                return
            if self._is_over or self._error is not None:
                continue  # drained, so that nobody waits for room
            try:
                self._work(item)
            except BaseException as err:  # handed to the thread that puts
                self._error = err
