"""A process that waits with everything imported, so that the next job begins at once.

Importing torch takes 2 s, and timm as long, more than all else between a press of the button and the first step of a
job. The app keeps one such process while somebody may be about to start a job. It is told the run folder on its standard
input; where that closes without a word, because the app has ended or nobody started a job for a while, it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from engine.paths import PROJECT

# What is kept for so long without use gives its memory (600 MB with torch) back.
_KEPT_S = 600.0
_lock = threading.Lock()


@dataclass
class _Held:
    """The spare process, if there is one; `is_allowed` only inside the app's server.

    Attributes:
        environment: what the process was started with; a job of another one does not go to it.
        expected: the backbone and the device that it was told last.
    """

    is_allowed: bool = False
    process: subprocess.Popen[bytes] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    expected: tuple[str, ...] = ()
    ends: threading.Timer | None = None


_held = _Held()


def allow() -> None:
    """Let `keep_ready` start processes: only a server that lives longer than one job says so."""
    _held.is_allowed = True


def is_kept() -> bool:
    """Whether a process is kept here at all: by the app's server, and where it can wait on a pipe as POSIX has them."""
    return _held.is_allowed and os.name != "nt"


def keep_ready(*expected: str) -> None:
    """See to it that a process is waiting, for a while from now.

    Args:
        expected: the backbone and the device of an extraction that may come: their libraries are imported, and their
            speed is measured where it is not known.
    """
    if not is_kept():
        return
    with _lock:
        if not _is_usable():
            _let_go()
            _held.process, _held.environment = _started(expected), _environment()
        elif expected and expected != _held.expected:
            _tell(f"expect {' '.join(expected)}".encode())
        _held.expected = expected or _held.expected
        _renew()


def take(folder: Path) -> subprocess.Popen[bytes] | None:
    """Hand a run folder to the process that waits; None where there is none, and one has to be started."""
    with _lock:
        if not _is_usable():
            return None
        process = _held.process
        assert process is not None
        assert process.stdin is not None
        if _held.ends:
            _held.ends.cancel()
        _held.process = None
        try:
            process.stdin.write(b"run " + os.fsencode(folder) + b"\n")
            process.stdin.close()
        except OSError:  # it has ended meanwhile
            return None
        return process


def let_go() -> None:
    """End the process that waits."""
    with _lock:
        _let_go()


def _is_usable() -> bool:
    process = _held.process
    return process is not None and process.poll() is None and _held.environment == _environment()


def _environment() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(os.environ.items()))


def _tell(words: bytes) -> None:
    """One line for the process that waits; nothing where it has ended meanwhile."""
    process = _held.process
    if process is None or process.stdin is None:
        return
    try:
        process.stdin.write(words + b"\n")
        process.stdin.flush()
    except OSError:
        _let_go()


def _started(expected: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine.standing_by", *expected],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def _renew() -> None:
    """Begin to count the time anew after which the process is let go."""
    if _held.ends:
        _held.ends.cancel()
    _held.ends = threading.Timer(_KEPT_S, let_go)
    _held.ends.daemon = True
    _held.ends.start()


def _let_go() -> None:
    process, _held.process, _held.expected = _held.process, None, ()
    if _held.ends:
        _held.ends.cancel()
    if process is not None and process.stdin is not None:
        process.stdin.close()
        threading.Thread(target=process.wait, daemon=True, name=f"reap-{process.pid}").start()
