"""The process that `engine.jobs.spare` keeps: it imports what a job needs, waits for a run folder, and runs its job.

It hears lines on its standard input: `expect BACKBONE DEVICE`, any number of times, and `run FOLDER`.
"""

from __future__ import annotations

import importlib
import logging
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import EngineError

_logger = logging.getLogger(__name__)
# The page that asked for this process is drawn first; a job that is asked for meanwhile does not wait.
_AFTER_S = 1.5
_NEEDED = (
    "engine.__main__",
    "engine.extraction.extract",
    "engine.learning.train",
    "engine.learning.maps.apply",
)


def main(expected: Sequence[str]) -> int:
    """Get ready, and run the job of the folder that is named as `python -m engine run` would.

    Args:
        expected: the backbone and the device of the next extraction; empty where no extraction is expected.

    Returns:
        The exit status of the job; 0 where standard input closes without a folder.
    """
    is_asked, _, _ = select.select([sys.stdin], [], [], _AFTER_S)
    if not is_asked:
        for name in _NEEDED:
            importlib.import_module(name)
        if expected:
            _expect(*expected)
    for line in iter(sys.stdin.buffer.readline, b""):
        word, _, rest = os.fsdecode(line.rstrip(b"\n")).partition(" ")
        if word == "run":
            return _run(rest)
        _expect(*rest.split(" "))
    return 0


def _expect(backbone: str, device: str) -> None:
    """Import what the backbone needs, and measure how fast it is here where nothing has measured it yet."""
    from engine.backbones.cards import card
    from engine.backbones.families import family_of
    from engine.extraction.cost.bench import measure_shortly
    from engine.workspace import runs_root

    try:
        family_of(card(backbone)).adapter()
        measure_shortly(backbone, device, runs_root())
    except EngineError as err:  # the estimate remains a guess, and the job itself says what is wrong
        _logger.info("%s was not measured: %s", backbone, err)


def _run(folder: str) -> int:
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
    sys.exit(main(sys.argv[1:]))
