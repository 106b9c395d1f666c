"""Runs that belong to another one: the store that a training needed, the raw pixels of a baseline, what it is compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.jobs import events as happened
from engine.jobs.parent import read_parent
from pages.ui.state import cached

_SETTLED = re.compile(r"(extract|train|embedding_files)-[0-9a-f]{12}")


def is_inner(item: cached.JobFacts) -> bool:
    """Whether a run was started for another one, or made inside its process: under a settled name, never holding a device."""
    if read_parent(item.job.folder):
        return True
    started = [event for _, event in cached.events_of(item.job) if isinstance(event, happened.Started)]
    return bool(_SETTLED.fullmatch(item.job.id)) and not any(event.device for event in started)


def made_by(parent: cached.JobFacts, everything: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """The inner runs of a run: started for it, or made by its process."""
    own = _processes(parent)
    return [
        item
        for item in everything
        if item.job != parent.job
        and is_inner(item)
        and (read_parent(item.job.folder) == parent.job.id or own & _processes(item))
    ]


def _processes(item: cached.JobFacts) -> set[tuple[int, float]]:
    return {
        (event.pid, event.process_start)
        for _, event in cached.events_of(item.job)
        if isinstance(event, happened.Started)
    }
