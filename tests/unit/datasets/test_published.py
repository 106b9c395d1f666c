"""HLS Burn Scars is fetched from a real server on loopback, checked, unpacked and ready for the tutorial; or refused, and nothing stays."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.layout import arrange, check, split_by_names
from engine.datasets.published import PUBLISHED, Published, dataset_folder, fetch_dataset
from engine.errors import BadInput, DiskFull, WeightsError
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.events import FetchDone, MeasureStep, Noticed
from tests.burn_scars_layout import SIDE, SPLITS, STEMS, write_layout
from tests.unit.backbones.hub_server import HubServer

TUTORIAL = dataclasses.replace(
    PUBLISHED["hls_burn_scars"], chips=len(STEMS), side_px=SIDE, unpacked_bytes=3_000_000
)
SMALL = dataclasses.replace(TUTORIAL, splits="")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The published archive, small: folders training and validation, with a file that is none of ours."""
    folder = write_layout(tmp_path_factory.mktemp("published") / "made")
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as packed:
        for number, stem in enumerate(STEMS):
            place = "training" if number < 6 else "validation"
            for ending in ("_merged.tif", ".mask.tif"):
                packed.add(folder / "data" / f"{stem}{ending}", f"{place}/{stem}{ending}")
        noise = tarfile.TarInfo("training/index.csv")  # larger than what the client writes at once
        noise.size = 2**21
        packed.addfile(noise, io.BytesIO(np.random.default_rng(0).bytes(noise.size)))
    return held.getvalue()


@pytest.fixture
def hub(archive: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    running = HubServer()
    running.content, running.linked_etag = archive, f'"{hashlib.sha256(archive).hexdigest()}"'
    running.others = {f"splits/{name}.txt": None for name in SPLITS}
    monkeypatch.setenv("HF_ENDPOINT", running.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield running
    running.close()


def left(home: Path) -> set[str]:
    """What lies in the folder of data sets, without locks."""
    return {path.name for path in (home / "data").rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_it_is_fetched_checked_unpacked_and_divided_as_the_tutorial_divides_it(
    hub: HubServer, home: Path
) -> None:
    for name, stems in SPLITS.items():
        short = [stem.removeprefix("subsetted_512x512_HLS.S30.").removesuffix(".4") for stem in stems]
        hub.others[f"splits/{name}.txt"] = "\n".join(short).encode()
    events = list(fetch_dataset(TUTORIAL, home))
    folder = dataset_folder(SMALL, home)
    assert isinstance(events[-1], FetchDone) and events[-1].files == [str(folder)]
    assert hub.paths[0] == "/datasets/ibm-nasa-geospatial/hls_burn_scars/resolve/main/hls_burn_scars.tar.gz"
    assert [one.done for one in events if isinstance(one, MeasureStep)] == list(range(1, len(STEMS) + 1))
    found = {scene.id: scene.split for scene in chip_scenes(folder)}
    assert found == {stem: name for name, stems in SPLITS.items() for stem in stems}
    assert not (home / "data" / "downloads" / SMALL.file).exists()
    again = list(fetch_dataset(TUTORIAL, home))
    assert isinstance(again[0], Noticed) and "is here already" in again[0].message


def test_a_connection_that_is_cut_and_a_job_that_is_ended_go_on_where_they_were(
    hub: HubServer, home: Path, archive: bytes
) -> None:
    hub.cut_after = [2**20]
    steps = fetch_dataset(SMALL, home)
    next(one for one in steps if isinstance(one, MeasureStep))
    steps.close()  # type: ignore[attr-defined]
    assert hub.ranges == [None, f"bytes={2**20}-"]
    assert left(home) == {SMALL.file, f"{SMALL.file}.sha256"}  # only unpacking begins anew
    events = list(fetch_dataset(SMALL, home))
    scenes = chip_scenes(dataset_folder(SMALL, home))
    assert [scene.split for scene in scenes] == ["train"] * 6 + ["val", "test", "val"]
    assert "The archive's own folders divide the chips" in " ".join(one.message for one in events if isinstance(one, Noticed))  # fmt: skip


def refused(hub: HubServer, home: Path, said: str, one: Published = SMALL, kind: type[Exception] = BadInput) -> None:  # fmt: skip
    with pytest.raises(kind, match=said):
        list(fetch_dataset(one, home))
    assert not dataset_folder(one, home).exists()
    assert not list((home / "data").glob(".hls_burn_scars*"))


def test_what_came_otherwise_than_it_was_published_is_refused(
    hub: HubServer, home: Path, archive: bytes
) -> None:
    hub.content = archive[:-10] + b"\0" * 10
    refused(hub, home, "another sha256", kind=WeightsError)
    assert not left(home)


def test_an_archive_of_which_half_was_published_is_refused(
    hub: HubServer, home: Path, archive: bytes
) -> None:
    hub.linked_etag = ""  # the hub does not know its hash
    hub.content = archive[: len(archive) // 2]
    refused(hub, home, "cannot be unpacked")
    assert SMALL.file not in left(home)  # or the next try would take it for what was published


def test_a_disk_without_room_is_told_before_a_byte_comes(hub: HubServer, home: Path) -> None:
    huge = dataclasses.replace(SMALL, unpacked_bytes=10**16)
    refused(hub, home, "needs .* GB while it is unpacked", huge, DiskFull)
    assert not hub.requests


@pytest.mark.parametrize(
    ("chips", "side_px", "bands", "said"),
    [(804, SIDE, 6, "holds 9 chips, and 804 are published"), (9, 512, 6, "32 x 32 px, and 6 of 512 x 512"), (9, SIDE, 7, "6 band")],
)  # fmt: skip
def test_another_number_or_form_of_chips_than_published_is_refused(
    chips: int, side_px: int, bands: int, said: str, tmp_path: Path
) -> None:
    layout = arrange(write_layout(tmp_path / "chips"))
    check(layout, "It", len(STEMS), SIDE, 6)
    with pytest.raises(BadInput, match=said):
        check(layout, "It", chips, side_px, bands)


def test_a_chip_without_its_mask_is_refused(tmp_path: Path) -> None:
    layout = arrange(write_layout(tmp_path / "chips"))
    (tmp_path / "chips" / "data" / f"{STEMS[0]}.mask.tif").unlink()
    with pytest.raises(BadInput, match=r"\.mask\.tif of It is absent"):
        check(layout, "It", len(STEMS), SIDE, 6)


def test_split_files_of_other_chips_are_not_used(tmp_path: Path) -> None:
    layout = arrange(write_layout(tmp_path / "chips"))
    for names in ({"train": ["T11ABC"]}, {"train": [STEMS[0]]}, {"train": ["HLS"]}, {"train": [""]}):
        with pytest.raises(BadInput, match=r"they name|in them fits"):
            split_by_names(layout, names)
