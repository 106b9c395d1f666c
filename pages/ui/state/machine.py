"""What the jobs will run on, asked without torch."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess


@functools.cache
def device_words() -> str:
    """The accelerator by name, or the processor's cores."""
    return _nvidia() or _apple() or f"CPU · {os.cpu_count() or 1} cores"


def _nvidia() -> str:
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    asked = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    name, _, memory = answer.stdout.strip().partition("\n")[0].partition(", ")
    return f"{name} · {int(memory) / 1024:.0f} GiB" if memory.strip().isdecimal() else name


def _apple() -> str:
    return "Apple GPU (MPS)" if platform.system() == "Darwin" and platform.machine() == "arm64" else ""
