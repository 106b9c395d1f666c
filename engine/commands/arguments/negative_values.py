"""Values of options that begin with a minus, such as a western longitude, as argparse takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERS = re.compile(r"-(\d+\.?\d*|\.\d+)(,.*)?")


def with_negative_values(arguments: Sequence[str]) -> list[str]:
    """The same arguments, `--at -75.6,37.6` as `--at=-75.6,37.6`: argparse takes a value with a minus for an option."""
    joined: list[str] = []
    for argument in arguments:
        before = joined[-1] if joined else ""
        if _NUMBERS.fullmatch(argument) and before.startswith("--") and "=" not in before and "," in argument:
            joined[-1] = f"{before}={argument}"
        else:
            joined.append(argument)
    return joined
