"""The machine that jobs run on, told from others and asked without torch."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

# What Linux shows of an NVIDIA GPU, of one below WSL, and of an AMD one.
_ACCELERATORS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


@functools.cache
def machine_words() -> str:
    """Processor and cores: what decides the speed of a CPU, and stays when a container gets another name."""
    return f"{_processor()}, {os.cpu_count() or 1} cores"


def has_accelerator() -> bool:
    """Whether there may be a GPU; False is certain."""
    return platform.system() != "Linux" or any(Path(path).exists() for path in _ACCELERATORS)


def is_cpu(device: str) -> bool:
    """Whether what a configuration asks for is certainly this machine's processor."""
    return device == "cpu" or (device == "auto" and not has_accelerator())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
