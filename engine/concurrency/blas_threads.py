"""One BLAS thread in each of our own: matrix products that several threads make at once share no cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits

# The number of threads belongs to the process: the first who limits it keeps the limit here, the last takes it off.
_lock = Lock()
_limits: list[threadpool_limits] = []
_users: list[int] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Products of this process take one thread each until the last of those who asked for it has left.

    Threads of BLAS wait for one another in a loop that takes all of a core. Two of our threads with two of BLAS each on
    two cores took 23 s of processor time for a covariance that takes 8 s with one each.
    """
    with _lock:
        if not _users:
            _limits.append(threadpool_limits(1, user_api="blas"))
        _users.append(1)
    try:
        yield
    finally:
        with _lock:
            _users.pop()
            if not _users:
                _limits.pop().restore_original_limits()
