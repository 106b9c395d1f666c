"""Data sets that others published in the layout of HLS Burn Scars, fetched whole: resumable, checked, unpacked safely."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.archives import Limits, entries
from engine.backbones.weights.download import HubFile, fetch
from engine.datasets.layout import Layout, arrange, check, split_by_folders, split_by_names
from engine.errors import BadInput, ConfigError, DiskFull, WeightsError
from engine.files import make_folder, write_errors
from engine.jobs.download_steps import told_download
from engine.jobs.events import Event, FetchDone, MeasureStep, Noticed, StepStarted
from engine.nearest import nearest
from engine.workspace import shared_root

_SPARE_BYTES = 1_000_000_000
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Published:
    """A data set of the hub.

    Attributes:
        repository, file: the archive, in a repository of data sets.
        size_bytes, unpacked_bytes: of the archive and of what is in it, for the room that is asked for before.
        chips, side_px, bands: what it holds, by which it is checked.
        splits: repository of models with the split files of the tutorial; "" where there are none.
    """

    name: str
    title: str
    repository: str
    file: str
    size_bytes: int
    unpacked_bytes: int
    chips: int
    side_px: int
    bands: int
    licence: str
    page: str
    citation: str
    splits: str = ""


# The hub states the archive's sha256, which every download is held against; the numbers of chips, pixels and bands are those of
# the data set's own page, the sizes those that the hub showed in 2026.
PUBLISHED: Mapping[str, Published] = {
    "hls_burn_scars": Published(
        "hls_burn_scars", "HLS Burn Scars", "ibm-nasa-geospatial/hls_burn_scars", "hls_burn_scars.tar.gz", 2_645_552_531,
        5_500_000_000, 804, 512, 6, "CC BY 4.0", "https://huggingface.co/datasets/ibm-nasa-geospatial/hls_burn_scars",
        "Phillips, Roy, Ankur and Ramachandran 2023, HLS Foundation Burnscars Dataset, doi:10.57967/hf/0956",
        "ibm-nasa-geospatial/Prithvi-EO-2.0-300M-BurnScars",
    ),
}  # fmt: skip


def published(name: str) -> Published:
    """The data set of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PUBLISHED:
        raise ConfigError(
            f"No published data set is named {name!r}{nearest(name, list(PUBLISHED))}. There are {', '.join(PUBLISHED)}."
        )
    return PUBLISHED[name]


def dataset_folder(one: Published, root: Path) -> Path:
    """Where a published data set is kept, once for all workspaces."""
    return shared_root(root) / "data" / one.name


def fetch_dataset(one: Published, root: Path) -> Iterator[Event]:
    """Fetch a data set, unless it is here; a download that was cut goes on where it ended.

    Yields:
        StepStarted with megabytes so far, MeasureStep a chip, Noticed, FetchDone.

    Raises:
        WeightsError: it cannot be had, or came with another sha256 than the hub states.
        BadInput: the archive is not what was published; it is deleted, so that the next try fetches it anew.
        DiskFull: no room.
    """
    began, folder = time.monotonic(), dataset_folder(one, root)
    if folder.is_dir():
        yield Noticed(f"{one.title} is here already: {folder}.")
        yield FetchDone([], 0.0)
        return
    make_folder(folder.parent)
    archive = folder.parent / "downloads" / one.file
    _require_room(one, folder.parent, archive)
    yield from told_download(f"Fetching {one.title}", lambda note: fetch(_wanted(one), archive, note))
    half = folder.parent / f".{one.name}.unpacking"
    shutil.rmtree(half, ignore_errors=True)
    try:
        yield from _unpacked(one, archive, half)
        yield StepStarted("Checking every chip")
        layout = arrange(half)
        check(layout, one.title, one.chips, one.side_px, one.bands)
        yield from _split(one, layout, folder.parent)
        with write_errors(folder):
            half.rename(folder)
    except BadInput:
        archive.unlink(missing_ok=True)  # or the next try would take it for what was published
        raise
    finally:
        shutil.rmtree(half, ignore_errors=True)
    archive.unlink(missing_ok=True)
    archive.with_name(f"{archive.name}.sha256").replace(folder / f"{archive.name}.sha256")
    yield FetchDone([str(folder)], round(time.monotonic() - began, 1))


def _wanted(one: Published) -> HubFile:
    size = f"{one.size_bytes / 1e9:.1f} GB"
    return HubFile(
        one.repository, one.file, None, f"{one.title} ({size})",
        f"Or download {one.file} from {one.page} yourself, unpack it and open its folder.", kind="dataset",
    )  # fmt: skip


def _require_room(one: Published, place: Path, archive: Path) -> None:
    """Refuse before a byte is fetched.

    Raises:
        DiskFull: archive and chips do not fit.
    """
    there = sum(part.stat().st_size for part in archive.parent.glob(f"{archive.name}*")) if archive.parent.is_dir() else 0  # fmt: skip
    needed = max(0, one.size_bytes - there) + one.unpacked_bytes + _SPARE_BYTES
    free = shutil.disk_usage(place).free
    if needed > free:
        raise DiskFull(
            f"{one.title} needs {needed / 1e9:.1f} GB while it is unpacked, and the disk of {place} has {free / 1e9:.1f} GB left. "
            f"Free some space, then fetch it again."
        )


def _unpacked(one: Published, archive: Path, half: Path) -> Iterator[Event]:
    """Write the chips of the archive below their folders' names.

    Raises:
        BadInput: the archive is damaged or hostile.
    """
    limits = Limits(most_files=20 * one.chips, most_bytes=3 * one.unpacked_bytes)
    count = 0
    with archive.open("rb") as file:
        for entry in entries(file, one.file, limits):
            if entry.name.endswith(("_merged.tif", ".mask.tif", ".txt")) and "/._" not in f"/{entry.name}":
                entry.copy_to(half / entry.name)
                count += entry.name.endswith("_merged.tif")
                if entry.name.endswith("_merged.tif"):
                    yield MeasureStep("Unpacking chips", count, one.chips)


def _split(one: Published, layout: Layout, place: Path) -> Iterator[Event]:
    """Split files: those in the archive, those of the tutorial, or its folders."""
    if all((layout.folder / "splits" / f"{name}.txt").is_file() for name in _SPLITS):
        return
    try:
        yield StepStarted("Fetching the split files of the tutorial")
        names = _split_files(one, place)
        split_by_names(layout, names)
    except (WeightsError, BadInput) as err:
        counts = split_by_folders(layout)
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        yield Noticed(
            f"The split files of the tutorial are not used ({str(err).rstrip('.')}). The archive's own folders divide the chips: its "
            f"training trains, every second chip of its validation tests ({told})."
        )


def _split_files(one: Published, place: Path) -> dict[str, list[str]]:
    """Stems of each split, from the repository of the tutorial's model.

    Raises:
        WeightsError: they cannot be had.
    """
    if not one.splits:
        raise WeightsError("none are published")
    found, folder = {}, place / "downloads" / "splits"
    try:
        for name in _SPLITS:
            file = folder / f"{name}.txt"
            fetch(HubFile(one.splits, f"splits/{name}.txt", None, f"splits/{name}.txt", ""), file)
            found[name] = file.read_text(encoding="utf-8").split()
    except UnicodeDecodeError as err:
        raise WeightsError("they are no text") from err
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found
