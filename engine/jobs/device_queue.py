"""Whose turn it is on a device: waiting jobs leave tickets, and the workspaces that have some take turns.

A ticket is a file that its process touches while it waits and removes when it stops waiting. Tickets decide the order
only; that one job at a time holds a device is the lock's doing, so that a ticket too many or too few harms nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.files import read_json, slug, write_atomic
from engine.workspace import runs_root, workspace_name, workspace_of

# A process that waits touches its ticket twice a second; one that was stopped (SIGSTOP) or hangs loses its place.
_STALE_S = 15.0


@dataclass(frozen=True)
class Ticket:
    """One waiting job.

    Attributes:
        folder: the run folder.
        workspace: name of its workspace.
        at: unix seconds at which it began to wait.
    """

    path: Path
    folder: Path
    workspace: str
    pid: int
    process_start: float
    at: float


def devices_folder() -> Path:
    """Where the locks, holders and queues of all devices are, one set for all workspaces."""
    return runs_root() / ".devices"


@contextmanager
def waiting(folder: Path, device: str) -> Iterator[Path]:
    """A ticket for a run folder while the block lasts; its path is handed to `is_next`."""
    queue, pid = _queue(device), os.getpid()
    queue.mkdir(parents=True, exist_ok=True)
    now = time.time()
    held = {
        "folder": str(folder.resolve()),
        "pid": pid,
        "start": psutil.Process(pid).create_time(),
        "at": now,
    }
    ticket = queue / f"{time.time_ns():020d}-{pid}.json"
    write_atomic(ticket, lambda temporary: temporary.write_text(json.dumps(held), encoding="utf-8"))
    try:
        yield ticket
    finally:
        ticket.unlink(missing_ok=True)


def is_next(ticket: Path, device: str) -> bool:
    """Whether no other waiting job comes before this one; tells the others that this one still waits."""
    if ticket.exists():
        os.utime(ticket)
    order = _order_of(_queue(device))
    return not order or order[0].path == ticket


def note_turn(folder: Path, device: str) -> None:
    """Write down that a workspace has its turn on a device; called by who holds the device's lock."""
    served = _served(_queue(device))
    served[workspace_name(workspace_of(folder))] = 1 + max(served.values(), default=0)
    text = json.dumps(served)
    write_atomic(_turns(_queue(device)), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def place_of(folder: Path) -> int | None:
    """Place of a run in the queue of its device, 1 for the next one; None where it does not wait."""
    wanted = folder.resolve()
    for queue in devices_folder().glob("*.queue"):
        order = [ticket.folder for ticket in _order_of(queue)]
        if wanted in order:
            return order.index(wanted) + 1
    return None


def in_order(tickets: Sequence[Ticket], served: Mapping[str, int]) -> list[Ticket]:
    """The order in which waiting jobs get their turns: the workspace whose last turn is longest ago, then its oldest job.

    Args:
        served: number of the last turn of each workspace; a workspace without one has had none.
    """
    last, order = dict(served), list[Ticket]()
    waits = sorted(tickets, key=lambda ticket: (ticket.at, ticket.path.name))
    while waits:
        oldest: dict[str, Ticket] = {}
        for ticket in waits:
            oldest.setdefault(ticket.workspace, ticket)
        chosen = min(oldest.values(), key=lambda ticket: (last.get(ticket.workspace, 0), ticket.at))
        last[chosen.workspace] = 1 + max(last.values(), default=0)
        waits.remove(chosen)
        order.append(chosen)
    return order


def _order_of(queue: Path) -> list[Ticket]:
    return in_order([ticket for path in queue.glob("*.json") if (ticket := _read(path))], _served(queue))


def _read(path: Path) -> Ticket | None:
    """A ticket whose process waits; one whose process has ended is removed."""
    try:
        held, touched = read_json(path), path.stat().st_mtime
        folder = Path(held["folder"])
        ticket = Ticket(path, folder, workspace_name(folder.parent), int(held["pid"]), float(held["start"]), float(held["at"]))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _is_alive(ticket):
        path.unlink(missing_ok=True)
        return None
    return ticket if time.time() - touched < _STALE_S else None


def _is_alive(ticket: Ticket) -> bool:
    try:
        process = psutil.Process(ticket.pid)
        is_same = abs(process.create_time() - ticket.process_start) < 1.0
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _served(queue: Path) -> dict[str, int]:
    """Number of the last turn of each workspace; none where the file is not there, or not ours."""
    try:
        return {str(name): int(turn) for name, turn in read_json(_turns(queue)).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _queue(device: str) -> Path:
    return devices_folder() / f"{slug(device)}.queue"


def _turns(queue: Path) -> Path:
    return queue.with_suffix(".turns.json")
