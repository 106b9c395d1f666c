"""Commands that start, continue, list and end jobs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.commands.printer import Printer, say
from engine.errors import BadInput, ConfigError
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs import events as happened
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    ApplyConfig,
    DatasetConfig,
    ExportConfig,
    ExtractConfig,
    FetchConfig,
    JobConfig,
    LeaderboardConfig,
    MeasureConfig,
    TrainConfig,
    load_config,
    overridden,
    parse_config,
    read_yaml,
    to_yaml,
)
from engine.jobs.device_queue import place_of
from engine.jobs.job import Job, list_jobs
from engine.jobs.keeping.archive import open_archive
from engine.jobs.machine import is_cpu
from engine.jobs.record import run_job
from engine.terratorch.generation import is_terratorch, translate
from engine.terratorch.report import in_lines
from engine.terratorch.training import is_training, translate_training
from engine.workspace import workspace_folder, workspace_name, workspace_of, workspaces


def extract(chosen: argparse.Namespace) -> dict[str, Any] | None:
    """Run an extraction in a new run folder; the file may be one of TerraTorch's."""
    path = Path(chosen.config)
    tree = read_yaml(path)
    if not is_terratorch(tree):
        _refuse_translation(chosen, path)
        return _in_new_folder(load_config(path, chosen.set), chosen)
    if is_training(tree):
        raise ConfigError(
            f"{path} is a TerraTorch file that trains a decoder. Give it to `python -m engine train`."
        )
    found = translate(tree, str(path))
    for line in in_lines(found.lines, found.warnings):
        say(line)
    config = parse_config(overridden(found.config.model_dump(mode="json"), chosen.set), str(path))
    if chosen.translate:
        print(to_yaml(config), end="")
        return None
    chosen.out = chosen.out or found.out
    return _in_new_folder(config, chosen)


def train(chosen: argparse.Namespace) -> dict[str, Any] | None:
    """Run a training in a new run folder; the file may be one of TerraTorch's."""
    path = Path(chosen.config)
    tree = read_yaml(path)
    if not is_terratorch(tree):
        _refuse_translation(chosen, path)
        return _in_new_folder(load_config(path, chosen.set), chosen)
    if not is_training(tree):
        raise ConfigError(
            f"{path} is a TerraTorch file that makes embeddings. Give it to `extract`; `train` takes one that trains "
            f"a decoder on them."
        )
    found = translate_training(tree, str(path))
    for line in in_lines(found.lines, found.warnings):
        say(line)
    config = parse_config(overridden(found.config.model_dump(mode="json"), chosen.set), str(path))
    if chosen.translate:
        print(to_yaml(config), end="")
        return None
    return _in_new_folder(config, chosen)


def _refuse_translation(chosen: argparse.Namespace, path: Path) -> None:
    if chosen.translate:
        raise ConfigError(f"{path} has none of the keys of a TerraTorch file. Leave --translate out.")


def leaderboard(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run a leaderboard in a new run folder; its rows are printed as a table."""
    return ranked(load_config(Path(chosen.config), chosen.set), chosen)


def ranked(config: JobConfig, chosen: argparse.Namespace) -> dict[str, Any]:
    """Run a leaderboard; its rows are printed as a table."""
    summary = _in_new_folder(config, chosen)
    if not chosen.json:
        from engine.learning.leaderboard.report.words import in_lines

        print("\n".join(in_lines(summary)))
    return summary


def apply(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run an application of a decoder in a new run folder."""
    return _in_new_folder(load_config(Path(chosen.config), chosen.set), chosen)


def dataset(chosen: argparse.Namespace) -> dict[str, Any]:
    """Make a labelled data set from dated polygons in a new run folder."""
    return _in_new_folder(load_config(Path(chosen.config), chosen.set), chosen)


def _in_new_folder(config: JobConfig, chosen: argparse.Namespace) -> dict[str, Any]:
    if config.kind != chosen.kind:
        raise ConfigError(
            f"The configuration is of kind {config.kind}. Use `python -m engine {config.kind}`."
        )
    folder = (
        Path(chosen.out).resolve()
        if chosen.out
        else run_folder.new_folder(config, workspace_folder(chosen.workspace))
    )
    run_folder.create(folder, config)
    summary = run_in(folder, config)
    if not chosen.json:
        print(f"Done: {folder}")
    return summary


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run the job of a folder."""
    job = Job.open(Path(chosen.folder))
    return run_in(job.folder, job.config)


def resume(chosen: argparse.Namespace) -> dict[str, Any]:
    """Go on with a job that stopped."""
    job = Job.open(Path(chosen.folder))
    if job.state == "finished":
        say(f"{job.id} is finished already.")
        return job.summary or {}
    run_folder.forget_stop(job.folder)
    return run_in(job.folder, job.config)


def jobs(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """List the jobs."""
    folders = workspaces() if chosen.workspace is None else [workspace_folder(chosen.workspace)]
    found = sorted(
        (job for folder in folders for job in list_jobs(folder)), key=lambda job: -job.submitted_at
    )
    rows = [_row(job) for job in found]
    if chosen.json:
        return rows
    for row in rows:
        state = f"{row['state']} {row['place']}" if row["place"] else row["state"]
        print(f"{state:12} {row['folder']}")
    if not rows:
        print(f"No jobs yet in {folders[0]}. Start one with `python -m engine extract CONFIG`.")
    return None


def _row(job: Job) -> dict[str, Any]:
    """A job as it is listed; `place` is that in the queue of its device, 1 for the next one."""
    state, name = job.state, workspace_name(job.folder.parent)
    place = place_of(job.folder) if state == "queued" else None
    return {"id": job.id, "state": state, "place": place, "workspace": name, "folder": str(job.folder)}


def cancel(chosen: argparse.Namespace) -> dict[str, Any]:
    """Ask a job to end."""
    job = Job.open(Path(chosen.folder))
    job.cancel(wait_s=30.0)
    say(f"{job.id}: {job.state}")
    return {"id": job.id, "state": job.state}


def unpack(chosen: argparse.Namespace) -> dict[str, Any]:
    """Make a run of a zip that was downloaded from Runs, or of the file of a decoder."""
    path = Path(chosen.zip)
    if not path.is_file():
        raise BadInput(f"{path} is not there. Check the path.")
    if path.suffix == ".safetensors":
        from engine.learning.keeping.decoder_file import open_decoder

        run = open_decoder(path, workspace_folder(chosen.workspace))
        say(f"Opened: {run.folder}")
        return {"id": run.folder.name, "state": "finished", "folder": str(run.folder)}
    with path.open("rb") as file:
        job = open_archive(file, workspace_folder(chosen.workspace))
    say(f"Opened: {job.folder}")
    return {"id": job.id, "state": job.state, "folder": str(job.folder)}


def run_in(folder: Path, config: JobConfig) -> dict[str, Any]:
    """Run the job of a run folder that is there, and print what happens."""
    return run_job(folder, lambda: _events(folder, config), _held_device(config), Printer())


def _held_device(config: JobConfig) -> str:
    """The device whose queue a job joins; downloads and data sets hold none, nor do exports, and take turns among themselves."""
    if isinstance(config, FetchConfig | DatasetConfig) or _is_fetched(config):
        return "network"
    if isinstance(config, ExportConfig):
        return "disk"
    if isinstance(config, ExtractConfig) and config.engine == "ray":
        return "ray"
    return _device_name(config.device)


def _is_fetched(config: JobConfig) -> bool:
    """Whether a job takes its embeddings from a catalogue."""
    return (
        isinstance(config, ExtractConfig)
        and isinstance(config.scene, PublishedEmbeddings)
        and config.scene.path is None
    )


def _device_name(asked: str) -> str:
    """The device whose queue a job joins; torch is asked only where there may be an accelerator.

    A job that waits for a CPU then holds 90 MB, not the 580 MB that it has with torch: twenty may wait at once.
    """
    if is_cpu(asked):
        return "cpu"
    from engine.backbones.core.device import choose

    return choose(asked).name


def _events(folder: Path, config: JobConfig) -> Iterator[happened.Event]:
    root = workspace_of(folder)
    match config:
        case ExtractConfig(scene=PublishedEmbeddings()):
            from engine.store.catalogues.job import embeddings_job

            return embeddings_job(config, folder)
        case ExtractConfig():
            from engine.extraction.extract import extract as work

            return work(config, folder, root)
        case TrainConfig():
            from engine.learning.train import train as learn

            return learn(config, folder, root)
        case ApplyConfig():
            from engine.learning.maps.apply import apply as make_maps

            return make_maps(config, folder, root)
        case LeaderboardConfig():
            from engine.learning.leaderboard.run import leaderboard as compare

            return compare(config, folder, root)
        case FetchConfig() | MeasureConfig() | DatasetConfig() | ExportConfig():
            return _lesser_events(folder, config, root)


def _lesser_events(
    folder: Path, config: FetchConfig | MeasureConfig | DatasetConfig | ExportConfig, root: Path
) -> Iterator[happened.Event]:
    """The jobs around the great ones: downloads, measurements, data sets and exports."""
    match config:
        case FetchConfig(dataset=str(name)):
            from engine.datasets.published import fetch_dataset, published

            return fetch_dataset(published(name), root)
        case FetchConfig():
            from engine.extraction.fetching import fetch

            return fetch(config, root)
        case DatasetConfig():
            from engine.datasets.build import build_dataset

            return build_dataset(config, folder, root)
        case MeasureConfig():
            from engine.extraction.measure import measure

            return measure(config, root)
        case ExportConfig():
            from engine.learning.quantisation_loss import probe_of
            from engine.views.export.job import export_job

            return export_job(config, folder, root, probe_of(root, config.labels))
