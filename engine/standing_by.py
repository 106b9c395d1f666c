"""The process that `engine.jobs.spare` keeps: it imports what a job needs, waits for a run folder, and runs its job."""

from __future__ import annotations

import importlib
import os
import select
import sys
from pathlib import Path

# The page that asked for this process is drawn first; a job that is asked for meanwhile does not wait.
_AFTER_S = 1.5
_NEEDED = (
    "engine.__main__",
    "engine.extraction.extract",
    "engine.learning.train",
    "engine.learning.maps.apply",
)


def main() -> int:
    """Wait for one line on standard input, the run folder, and run its job as `python -m engine run` would.

    Returns:
        The exit status of the job; 0 where standard input closes without a word.
    """
    is_asked, _, _ = select.select([sys.stdin], [], [], _AFTER_S)
    if not is_asked:
        for name in _NEEDED:
            importlib.import_module(name)
    folder = os.fsdecode(sys.stdin.buffer.readline().rstrip(b"\n"))
    if not folder:
        return 0
    from engine.__main__ import main as run_command
    from engine.jobs.folder import LOG

    _write_into(Path(folder) / LOG)
    return run_command(["run", folder])


def _write_into(log: Path) -> None:
    """Standard output and error go to the log of the run, and nothing more comes from standard input."""
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.close(written)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
