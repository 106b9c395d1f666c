"""What the processor says that it can do, asked without torch."""

from __future__ import annotations

from pathlib import Path

# Flags of CPUs that multiply bfloat16 in hardware: Intel, Architecture Instruction Set Extensions.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


def has_bfloat16() -> bool:
    """Whether it multiplies bfloat16 in hardware, as far as Linux tells."""
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and bool(
        _BFLOAT16_FLAGS & set(flags.read_text(encoding="utf-8", errors="replace").split())
    )
