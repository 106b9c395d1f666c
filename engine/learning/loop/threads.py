"""How many threads a step of the training takes: small steps are quickest alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Weights times patches of a step. Threads wait for one another several times a step, and on a busy machine each wait
# costs a turn of the scheduler. Steps of 5e7 on two cores beside one other busy process: 0.6 to 14 s an epoch with
# two threads, 0.6 to 0.9 s with one; alone on the machine 0.3 s with two.
_WORTH_SHARING = 5e8


@contextmanager
def threads_for(weights: int, patches: int, device: torch.device) -> Iterator[None]:
    """One thread for small steps on the CPU; as many as there are for large ones and for other devices."""
    usual = torch.get_num_threads()
    if device.type == "cpu" and weights * patches < _WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
