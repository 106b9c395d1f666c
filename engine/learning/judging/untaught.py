"""The same decoder on encoders without pretraining, where they were trained in the same workspace: rows beside a test."""

from __future__ import annotations

from engine.errors import EngineError
from engine.learning.baselines.encoders import NAMES, UNTAUGHT, Untaught, kind_of
from engine.learning.judging.judgement import JUDGEMENT, Judgement, Method
from engine.learning.keeping.result import TrainRun
from engine.workspace import workspace_of


def beside(run: TrainRun) -> dict[Untaught, Method]:
    """The decoders of the run's workspace that are this one's but for an untaught encoder, the newest of each kind."""
    found: dict[Untaught, Method] = {}
    own = run.folder.resolve()
    folders = {
        path.parent for room in (own.parent, workspace_of(own)) for path in room.glob(f"*/{JUDGEMENT}")
    }
    for folder in sorted(folders, key=lambda one: -(one / JUDGEMENT).stat().st_mtime):
        try:
            other = TrainRun.open(folder)
            kind = None if folder == own else kind_of(run, other)
            judgement = Judgement.read(folder) if kind and kind not in found else None
        except EngineError:  # a run that is damaged, or that an other version wrote, compares with nothing
            continue
        if kind and judgement is not None:
            found[kind] = Method(kind, NAMES[kind], "", judgement.methods[0].counts)
    return {kind: found[kind] for kind in UNTAUGHT if kind in found}
