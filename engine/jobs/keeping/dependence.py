"""Which runs need another one: what goes wrong when it is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import EngineError, JobError
from engine.jobs.configuration.config import (
    ApplyConfig,
    DatasetConfig,
    EmbeddingFilesConfig,
    ExtractConfig,
    FetchConfig,
    JobConfig,
    LeaderboardConfig,
)
from engine.jobs.folder import CONFIG, settled_folder
from engine.jobs.job import Job
from engine.paths import resolve_path


def needs(config: JobConfig, workspace: Path) -> set[Path]:
    """Run folders that a job reads: the store that it learns from or maps, the decoder that it applies.

    Args:
        workspace: where stores that are made on the way, and relative paths, lie.
    """
    return {folder.resolve() for folder in _named(config, workspace)}


def dependents(folder: Path, jobs: Iterable[tuple[Job, JobConfig]]) -> list[Job]:
    """The jobs that need the run of a folder; a store lies in it, or is it."""
    wanted = folder.resolve()
    return [
        job
        for job, config in jobs
        if job.folder != wanted
        and any(found.is_relative_to(wanted) for found in needs(config, job.folder.parent))
    ]


def delete_runs(chosen: Iterable[Job], everything: Iterable[Job]) -> None:
    """Delete runs, none of them while it, or a job that needs it, is queued or running.

    Raises:
        JobError: one of them is; nothing was deleted.
        DiskFull, RunFailure: as the file system says.
    """
    wanted, under_way = list(chosen), [job for job in everything if job.state in ("queued", "running")]
    read = [(job, config) for job in under_way if (config := _config(job)) is not None]
    for job in wanted:
        if job.state in ("queued", "running"):
            raise JobError(f"{job.id} is {job.state}. Cancel it before you delete it.")
        users = dependents(job.folder, read)
        if users:
            raise JobError(
                f"{users[0].id} is {users[0].state} and reads {job.id}. Wait for it, or cancel it."
            )
    for job in wanted:
        job.delete()


def _config(job: Job) -> JobConfig | None:
    try:
        return job.config
    except EngineError:
        return None


def _named(config: JobConfig, workspace: Path) -> Iterator[Path]:
    match config:
        case ExtractConfig() | FetchConfig() | DatasetConfig():
            return
        case ApplyConfig():
            yield from (_path(one, workspace) for one in (config.decoder, *config.ensemble))
            grounds: tuple[str | ExtractConfig, ...] = config.ground
        case LeaderboardConfig():
            grounds = config.stores + config.travel_stores
        case _ if isinstance(config.store, EmbeddingFilesConfig):
            yield from _taken_from(config.store, workspace)
            return
        case _:
            grounds = (config.store,)
    for ground in grounds:
        yield (
            settled_folder(ground, workspace)
            if isinstance(ground, ExtractConfig)
            else _path(ground, workspace)
        )


def _taken_from(files: EmbeddingFilesConfig, workspace: Path) -> Iterator[Path]:
    """Runs in which the embeddings of files were taken into a store."""
    wanted = str(resolve_path(files.train.embeddings).resolve())
    for path in workspace.glob(f"embedding_files-*/{CONFIG}"):
        config = _config(Job(path.parent))
        if isinstance(config, ExtractConfig) and getattr(config.scene, "path", None) == wanted:
            yield path.parent


def _path(given: str, workspace: Path) -> Path:
    path = Path(given).expanduser()
    return path if path.is_absolute() or path.exists() else workspace / path
