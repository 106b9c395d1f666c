"""The command line: what the browser does, from the same YAML."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import BadInput, ConfigError, EngineError
from engine.jobs import events as happened
from engine.jobs import folder as run_folder
from engine.jobs.config import ExtractConfig, JobConfig, TrainConfig, load_config
from engine.jobs.job import Job, list_jobs
from engine.jobs.record import TERMINATED, run_job

Command = Callable[[argparse.Namespace], Any]


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        0 on success, 2 on bad input, 1 on failure, 143 after SIGTERM or Ctrl-C.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    chosen = _parser().parse_args(arguments)
    command: Command = chosen.command
    try:
        done = command(chosen)
    except EngineError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    except KeyboardInterrupt:
        return TERMINATED
    if getattr(chosen, "json", False) and done is not None:
        print(json.dumps(done, default=str))
    return 0


def _extract_or_train(chosen: argparse.Namespace) -> dict[str, Any]:
    config = load_config(Path(chosen.config), chosen.set)
    if config.kind != chosen.kind:
        raise ConfigError(
            f"a configuration of kind {chosen.kind} was wanted, found {config.kind}. Use `{config.kind}`."
        )
    root = run_folder.runs_root()
    folder = Path(chosen.out).resolve() if chosen.out else run_folder.new_folder(config, root)
    run_folder.create(folder, config)
    summary = _run(folder, config)
    if not chosen.json:
        print(f"Done: {folder}")
    return summary


def _run_folder(chosen: argparse.Namespace) -> dict[str, Any]:
    job = Job.open(Path(chosen.folder))
    return _run(job.folder, job.config)


def _resume(chosen: argparse.Namespace) -> dict[str, Any]:
    job = Job.open(Path(chosen.folder))
    if job.state == "finished":
        print(f"{job.id} is finished already.", file=sys.stderr)
        return job.summary or {}
    return _run(job.folder, job.config)


def _run(folder: Path, config: JobConfig) -> dict[str, Any]:
    from engine.backbones.device import choose

    return run_job(folder, lambda: _events(folder, config), choose(config.device).name, _Printer())


def _events(folder: Path, config: JobConfig) -> Iterator[happened.Event]:
    root = run_folder.runs_root()
    match config:
        case ExtractConfig():
            from engine.embeddings.extract import extract

            return extract(config, folder, root)
        case TrainConfig():
            from engine.decoder.train import train

            return train(config, folder, root)


def _backbones(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    from engine.backbones import cards, weights

    rows = []
    for name, spec in cards.CARDS.items():
        there = spec.weights.kind == "none" or weights.present(spec) is not None
        rows.append({"name": name, "title": spec.title, "bands": list(spec.bands), "any_bands": spec.any_bands,
                     "patch_px": spec.patch_px, "dim": spec.dim, "parameters": spec.parameters,
                     "licence": spec.licence, "weights_present": there})  # fmt: skip
        if not chosen.json:
            size = f"{spec.parameters / 1e6:.1f} M"
            print(
                f"{name:36} {size:>10}  dim {spec.dim:<5} {'weights here' if there else 'weights wanted':15} {spec.licence}"
            )
    return rows if chosen.json else None


def _evaluate(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.decoder.evaluate import evaluate

    scores = evaluate(Path(chosen.run))
    if not chosen.json:
        print(json.dumps(scores, indent=2))
    return scores


def _predict(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.decoder.predict import predict_map

    out = predict_map(Path(chosen.run), Path(chosen.store), Path(chosen.out))
    print(f"Wrote {out}", file=sys.stderr)
    return {"out": str(out)}


def _pca(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.embeddings.overlay import pca_overlay
    from engine.embeddings.store import EmbeddingStore

    fitted = pca_overlay(EmbeddingStore.open(Path(chosen.store)), chosen.layer, Path(chosen.out))
    shares = [round(float(share), 4) for share in fitted.explained_variance_ratio]
    print(f"Wrote {chosen.out}; explained variance {shares}", file=sys.stderr)
    return {"out": chosen.out, "explained_variance_ratio": shares}


def _check(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.embeddings.check import check_store
    from engine.errors import StoreError

    report = check_store(Path(chosen.store))
    problems = [str(problem) for problem in report]
    if problems:
        raise StoreError(
            f"a whole store was wanted, found {len(problems)} problem(s): {'; '.join(problems)}. Extract it again."
        )
    if not chosen.json:
        print(f"{chosen.store}: whole.")
    return {"store": chosen.store, "problems": problems}


def _export(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.embeddings.export import export
    from engine.embeddings.store import EmbeddingStore

    out = export(EmbeddingStore.open(Path(chosen.store)), chosen.layer, Path(chosen.out), chosen.format)
    print(f"Wrote {out}", file=sys.stderr)
    return {"out": str(out)}


def _verify(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    from engine.backbones.verify import verify_folder
    from engine.errors import RunFailure

    results = verify_folder(Path(chosen.folder), Path(chosen.dump) if chosen.dump else None)
    for result in results:
        for name, error in result.errors.items():
            print(f"{result.case:36} {name:26} {error:.2e}")
        if result.failure:
            print(f"{result.case:36} {result.failure}")
    failed = [result.case for result in results if not result.passed]
    if failed:
        raise RunFailure(
            f"every output within tolerance was wanted, found {', '.join(failed)} beyond it. See the table."
        )
    return [{"case": result.case, "errors": dict(result.errors)} for result in results]


def _simulate(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.imagery.simulation.season import simulate_season

    out = Path(chosen.out)
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"an empty folder was wanted, found files in {out}. Choose another --out.")
    simulate_season(out, chosen.seed)
    print(f"Wrote a simulated fire season (seed {chosen.seed}) to {out}", file=sys.stderr)
    return {"out": str(out), "seed": chosen.seed}


def _jobs(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    rows = [{"id": job.id, "state": job.state, "folder": str(job.folder)} for job in list_jobs()]
    if chosen.json:
        return rows
    for row in rows:
        print(f"{row['state']:12} {row['folder']}")
    if not rows:
        print(f"No jobs yet in {run_folder.runs_root()}. Start one with `python -m engine extract CONFIG`.")
    return None


def _cancel(chosen: argparse.Namespace) -> dict[str, Any]:
    job = Job.open(Path(chosen.folder))
    job.cancel(wait_s=30.0)
    print(f"{job.id}: {job.state}", file=sys.stderr)
    return {"id": job.id, "state": job.state}


class _Printer:
    """Prints events to standard error as they come, tiles at most once a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, event: happened.Event) -> None:
        match event:
            case happened.StepStarted(step=text) | happened.Noticed(message=text):
                self._say(text)
            case happened.Queued(behind=behind):
                self._say(f"Queued: the device is held by {behind or 'another job'}.")
            case happened.ExtractPlanned():
                self._say(
                    f"{event.tiles} tiles, {event.patches} patches with {event.backbone} on {event.device}"
                )
            case happened.TileDone() if time.monotonic() - self._last >= 1 or event.done == event.total:
                rate = event.done / max(event.seconds, 1e-9)
                self._say(
                    f"tile {event.done}/{event.total}  {rate:.1f} tiles/s  {(event.total - event.done) / rate:.0f} s left"
                )
            case happened.TileSkipped(tile_id=tile, reason=reason):
                self._say(f"tile {tile} skipped: {reason}")
            case happened.EpochDone():
                best = " *" if event.is_best else ""
                self._say(f"epoch {event.epoch}/{event.epochs}  loss {event.train_loss:.4f} / {event.validation_loss:.4f}"
                          f"  IoU burnt {event.train_iou_burned:.3f} / {event.validation_iou_burned:.3f}{best}")  # fmt: skip
            case _:
                pass

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description="Emberscope without the browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, *positional: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        for argument in positional:
            sub.add_argument(argument)
        sub.add_argument(
            "--json", action="store_true", help="the last line of standard output is one JSON value"
        )
        sub.set_defaults(command=command)
        return sub

    add("backbones", _backbones, "List the backbones and whether their weights are here.")
    for kind, text in (
        ("extract", "Embed scenes with a frozen backbone."),
        ("train", "Train a burn-scar decoder."),
    ):
        sub = add(kind, _extract_or_train, text, "config")
        sub.add_argument("--out", help="the run folder (default: a new one)")
        sub.add_argument(
            "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="override a key; repeatable"
        )
        sub.set_defaults(kind=kind)
    add("evaluate", _evaluate, "Score a trained run on its test split again.", "run")
    add("predict", _predict, "Map burn scars of a store with a trained run.", "run", "store").add_argument(
        "--out", required=True
    )
    sub = add("pca", _pca, "Write the PCA colours of a store as a GeoTIFF.", "store")
    sub.add_argument("--out", required=True)
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    add("check", _check, "Read every part of a store and say whether it is whole.", "store")
    sub = add("export", _export, "Write a store's embeddings for other programs.", "store")
    sub.add_argument("--out", required=True)
    sub.add_argument("--format", choices=("geotiff", "npz"), default="geotiff")
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub = add("verify", _verify, "Hold the encoders against golden cases.", "folder")
    sub.add_argument("--dump", help="folder for our outputs, one .npz a case")
    add("run", _run_folder, "Run the job of a run folder (what the app starts).", "folder")
    add("jobs", _jobs, "List the jobs, newest first.")
    add("cancel", _cancel, "Ask a job to end; what it finished is kept.", "folder")
    add("resume", _resume, "Go on with a job that was cancelled, failed or interrupted.", "folder")
    sub = add("simulate", _simulate, "Write the simulated fire season of a seed.")
    sub.add_argument("--out", required=True)
    sub.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
