"""How many threads a step of the training takes: small steps are quickest alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Weights times patches of a step. Threads wait for one another several times a step, and on a busy machine each wait
# costs a turn of the scheduler. An epoch of five steps of 1e9 on two cores beside other busy processes: 1.0 to 1.2 s with
# two threads, 0.35 to 0.6 s with one. Alone on the machine an epoch of tests/bench/train.py takes 0.29 s with two, 0.37 s with one.
_WORTH_SHARING = 2e9


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
