"""Runs a job's folder as `python -m engine run` does, again and again, and kills it at random moments.

python killed_run.py RUN_FOLDER KILLS SEED: the libraries are imported once and each run is a fork of this process,
so that twenty runs cost little more than one start. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas  # noqa: F401 - pyarrow imports it with the first table
import pyarrow.pandas_compat  # noqa: F401

import engine.extraction.extract  # noqa: F401 - torch and all, so that no fork has to import them
from engine.__main__ import main
from engine.jobs.folder import CONFIG
from engine.store import writer
from engine.store.store import FINISHED, UNFINISHED

# As beside a GPU: a kill finds several parts in hand.
ROWS_A_PART, PARTS_AT_ONCE = 128, 3


def run(folder: Path) -> int:
    """Start `engine run FOLDER` as a process of its own; its id."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    with (folder.parent / "killed_run.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    code = 1
    try:
        code = main(["run", str(folder)])
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """Exit status of a process, once it has ended; minus the signal's number when one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_when(process: int, is_time: Callable[[], bool]) -> int:
    """Kill as soon as it is time, unless the process ends before; how it ended."""
    while not is_time():
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0002)
    os.kill(process, signal.SIGKILL)
    return ended(process)


def fresh(folder: Path, number: int) -> Path:
    """Another run folder of the same configuration."""
    copy = folder.with_name(f"killed-{number}")
    copy.mkdir()
    shutil.copy(folder / CONFIG, copy / CONFIG)
    return copy


def torn(folder: Path) -> bool:
    """Whether a file is there that is not whole."""
    return any((folder / UNFINISHED).glob("*.writing"))


def kill_often(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill at random moments until there were so many kills; every folder is then run to its end."""
    rng = np.random.default_rng(seed)
    began = time.monotonic()
    assert ended(run(folder)) == 0, "an undisturbed run failed"
    whole_s = time.monotonic() - began
    folders, done, torn_kills = [fresh(folder, 0)], 0, 0
    while done < kills:
        current = folders[-1]
        if (current / FINISHED).exists():
            current = fresh(folder, len(folders))
            folders.append(current)
        moment = time.monotonic() + rng.uniform(0, whole_s)
        waits_for_a_part = bool(done % 2)

        def is_time(moment: float = moment, current: Path = current, waits: bool = waits_for_a_part) -> bool:
            return torn(current) if waits else time.monotonic() >= moment

        status = kill_when(run(current), is_time)
        if status == -signal.SIGKILL:
            done += 1
            torn_kills += torn(current)
    codes = [ended(run(each)) for each in folders]
    return {"folders": [str(each) for each in folders], "kills": done, "torn": torn_kills, "codes": codes,
            "whole_s": whole_s}  # fmt: skip


def two_at_once(folder: Path) -> dict[str, object]:
    """Two processes on one folder: the exit codes of the first and of the second."""
    one = fresh(folder, 1000)
    first = run(one)
    while not (one / UNFINISHED).exists():
        time.sleep(0.001)
    os.kill(first, signal.SIGSTOP)  # so that it cannot end before the second looks
    second = ended(run(one))
    os.kill(first, signal.SIGCONT)
    return {"first": ended(first), "second": second, "folder": str(one)}


if __name__ == "__main__":
    writer.ROWS_A_PART, writer.PARTS_AT_ONCE = ROWS_A_PART, PARTS_AT_ONCE
    where, how_often, chance = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(kill_often(where, how_often, chance) | {"two": two_at_once(where)}))
