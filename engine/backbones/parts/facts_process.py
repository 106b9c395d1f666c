"""Facts that only a library with torch knows, read by a short process of its own, so that pages need no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import BackboneError

_TIMEOUT_S = 120
_PROJECT = Path(__file__).parents[3]


def facts_of_process(program: str, name: str, argument: str) -> dict[str, Any]:
    """The JSON that a program of ours prints as its last line.

    Args:
        program: module that is run with the argument.
        name: of the backbone, for messages.

    Raises:
        BackboneError: what the program complains of, or that it takes too long.
    """
    command = [sys.executable, "-m", program, argument]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=_PROJECT
        )
    except subprocess.TimeoutExpired as err:
        raise BackboneError(
            f"{name} could not be described within {_TIMEOUT_S} s. Try a smaller model."
        ) from err
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        complaint = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise BackboneError(complaint[0])
    facts: dict[str, Any] = json.loads(lines[-1])
    return facts


def print_facts(facts: Callable[[str], dict[str, Any]]) -> None:
    """What such a program does: print the facts of its argument, or end with the complaint as one line."""
    try:
        sys.stdout.write(json.dumps(facts(sys.argv[1])) + "\n")
    except BackboneError as err:
        sys.stderr.write(f"{err}\n")
        sys.exit(err.exit_code)
