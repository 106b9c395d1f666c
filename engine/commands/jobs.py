"""Commands that start, continue, list and end jobs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.commands.printer import Printer, say
from engine.errors import ConfigError
from engine.jobs import events as happened
from engine.jobs import folder as run_folder
from engine.jobs.config import ExtractConfig, JobConfig, TrainConfig, load_config
from engine.jobs.job import Job, list_jobs
from engine.jobs.record import run_job


def extract_or_train(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run a configuration in a new run folder."""
    config = load_config(Path(chosen.config), chosen.set)
    if config.kind != chosen.kind:
        raise ConfigError(
            f"a configuration of kind {chosen.kind} was wanted, found {config.kind}. Use `{config.kind}`."
        )
    folder = (
        Path(chosen.out).resolve() if chosen.out else run_folder.new_folder(config, run_folder.runs_root())
    )
    run_folder.create(folder, config)
    summary = _run(folder, config)
    if not chosen.json:
        print(f"Done: {folder}")
    return summary


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run the job of a folder."""
    job = Job.open(Path(chosen.folder))
    return _run(job.folder, job.config)


def resume(chosen: argparse.Namespace) -> dict[str, Any]:
    """Go on with a job that stopped."""
    job = Job.open(Path(chosen.folder))
    if job.state == "finished":
        say(f"{job.id} is finished already.")
        return job.summary or {}
    return _run(job.folder, job.config)


def jobs(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """List the jobs."""
    rows = [{"id": job.id, "state": job.state, "folder": str(job.folder)} for job in list_jobs()]
    if chosen.json:
        return rows
    for row in rows:
        print(f"{row['state']:12} {row['folder']}")
    if not rows:
        print(f"No jobs yet in {run_folder.runs_root()}. Start one with `python -m engine extract CONFIG`.")
    return None


def cancel(chosen: argparse.Namespace) -> dict[str, Any]:
    """Ask a job to end."""
    job = Job.open(Path(chosen.folder))
    job.cancel(wait_s=30.0)
    say(f"{job.id}: {job.state}")
    return {"id": job.id, "state": job.state}


def _run(folder: Path, config: JobConfig) -> dict[str, Any]:
    from engine.backbones.device import choose

    return run_job(folder, lambda: _events(folder, config), choose(config.device).name, Printer())


def _events(folder: Path, config: JobConfig) -> Iterator[happened.Event]:
    root = run_folder.runs_root()
    match config:
        case ExtractConfig():
            from engine.embeddings.extract import extract

            return extract(config, folder, root)
        case TrainConfig():
            from engine.decoder.train import train

            return train(config, folder, root)
