"""Ray as it is found: one that is there already, or one of this machine alone, for as long as a run."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.errors import ConfigError, RunFailure
from engine.paths import PROJECT

# What the processes on other machines need to know of this one: where weights are and where none may be fetched.
_PASSED_ON = ("EMBERSCOPE_WEIGHTS", "HF_HOME", "HF_HUB_OFFLINE", "HF_ENDPOINT")
_KNOCK_S = 5.0


@dataclass(frozen=True)
class Cluster:
    """What Ray has found: cores and GPUs of each machine."""

    nodes: Sequence[tuple[int, int]]

    @property
    def cpus(self) -> int:
        """All cores."""
        return sum(cpus for cpus, _ in self.nodes)

    @property
    def least_cpus(self) -> int:
        """Cores of the smallest machine that has any."""
        return min((cpus for cpus, _ in self.nodes if cpus), default=0)

    @property
    def gpus(self) -> int:
        """All GPUs."""
        return sum(gpus for _, gpus in self.nodes)

    @property
    def title(self) -> str:
        """For a log or a panel."""
        count = len(self.nodes)
        return f"Ray: {count} node{'' if count == 1 else 's'}, {self.cpus} CPUs, {self.gpus} GPUs"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """The cluster that RAY_ADDRESS names or that runs here, else one of this machine alone, for as long as the block.

    Raises:
        ConfigError: Ray is not installed.
        RunFailure: Ray does not answer, or has no CPU.
    """
    ray = load_ray()
    is_ours = not ray.is_initialized()
    if is_ours:
        _require_answer(os.environ.get("RAY_ADDRESS", ""))
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING,
                     runtime_env=_environment())  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError) as err:
            raise RunFailure(
                f"No Ray cluster answers ({' '.join(str(err).split())[:200]}). "
                f"Mend RAY_ADDRESS, start one with `ray start --head`, or set engine: local."
            ) from err
    try:
        alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        found = Cluster([(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in alive])
        if not found.cpus:
            raise RunFailure(
                f"{found.title}: no machine of the cluster has a CPU. Add one, or set engine: local."
            )
        yield found
    finally:
        if is_ours:
            ray.shutdown()


def uses_gpu(there: Cluster, device: str) -> bool:
    """Whether encoders hold GPUs.

    Raises:
        RunFailure: GPUs are asked for and there are none.
    """
    if device == "cuda" and not there.gpus:
        raise RunFailure(
            f"{there.title}: no machine of the cluster has a GPU for device: cuda. Add one, or set device: auto or cpu."
        )
    return device != "cpu" and there.gpus > 0


def load_ray() -> Any:
    """Ray with Ray Data.

    It is told not to report its use, and leaves the job's way of ending on SIGTERM as it was.

    Raises:
        ConfigError: not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        import ray
        import ray.data
    except ImportError as err:
        raise ConfigError(
            f"engine: ray wants Ray, which is not installed here ({err}). Run `pip install -r requirements-ray.txt`, or set "
            f"engine: local."
        ) from err
    if is_main and before is not None:
        signal.signal(signal.SIGTERM, before)
    return ray


def _require_answer(address: str) -> None:
    """Knock where RAY_ADDRESS points, for Ray itself would wait for minutes.

    Raises:
        RunFailure: nobody is there.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()
    except OSError as err:
        raise RunFailure(
            f"No Ray cluster answers at RAY_ADDRESS {address} ({err}). Mend RAY_ADDRESS, start "
            f"one with `ray start --head`, or set engine: local."
        ) from err


def _environment() -> dict[str, Any]:
    """Our code and what it reads of the environment, for machines that have neither."""
    known = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"py_modules": [str(PROJECT / "engine")], "env_vars": known}
