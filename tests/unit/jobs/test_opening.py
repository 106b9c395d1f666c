"""A zip of a run becomes a run again, and nothing that it holds is written elsewhere."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import BadInput, DiskFull
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.event_log import append_event
from engine.jobs.events import Finished, Submitted
from engine.jobs.job import Job, list_jobs
from engine.jobs.keeping import archive
from engine.jobs.keeping.archive import open_archive
from engine.jobs.keeping.zip_stream import zip_blocks
from engine.workspace import workspace_folder

CONFIG = {"kind": "extract", "scene": {"source": "simulated"}, "backbone": {"name": "raw"}}


def run_in(workspace: Path, name: str = "20260101-raw") -> Job:
    config = parse_config(CONFIG)
    assert isinstance(config, ExtractConfig)
    run_folder.create(workspace / name, config)
    append_event(workspace / name, Submitted())
    append_event(workspace / name, Finished({"patches": 7}))
    (workspace / name / "store").mkdir()
    (workspace / name / "store" / "part-0.parquet").write_bytes(b"rows")
    return Job(workspace / name)


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        for name, content in (("run/config.yaml", b"kind: extract\n"), *members):
            packed.writestr(name, content)
    held.seek(0)
    return held


def everything(home: Path) -> set[str]:
    return {str(path.relative_to(home.parent)) for path in home.parent.rglob("*")}


def test_a_zip_of_a_run_is_the_same_run_in_another_workspace(home: Path, tmp_path: Path) -> None:
    job = run_in(home)
    with (tmp_path / "run.zip").open("w+b") as file:
        file.writelines(zip_blocks(job.folder))
        file.seek(0)
        opened = open_archive(file, workspace_folder("anna"))
    assert opened.folder == home / "workspaces" / "anna" / job.id
    assert (opened.state, opened.summary, opened.config) == ("finished", {"patches": 7}, job.config)
    assert (opened.folder / "store" / "part-0.parquet").read_bytes() == b"rows"
    assert main(["open", str(tmp_path / "run.zip"), "--workspace", "anna"]) == 0
    assert {found.id for found in list_jobs(workspace_folder("anna"))} == {job.id, f"{job.id}-2"}


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


BAD = (
    "../evil.yaml", "run/../../evil.yaml", "/etc/evil", "run//etc", "run/./x", "run/..\\..\\evil", "C:/evil", "run/C:evil", "evil.yaml", "other/x",
    "run/" + "d/" * 20 + "x", "run/" + "x" * 300, "run/a\nb", "run/ x", "run/...", link("run/link"), "run/CONFIG.yaml",
)  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=lambda name: str(getattr(name, "filename", name))[:24])
def test_an_archive_that_leads_out_of_its_folder_or_is_ambiguous_is_refused_whole(
    home: Path, name: str | zipfile.ZipInfo
) -> None:
    before = everything(home)
    with pytest.raises(BadInput):
        open_archive(zip_of((name, b"/etc/passwd")), home)
    assert everything(home) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zip_of().getvalue()[:60],
        zip_of(("run/x", b"y" * 999)).getvalue().replace(b"yyyy", b"yyyz", 1),
    ],
    ids=[
        "empty",
        "no archive",
        "cut off",
        "a byte changed",
    ],  # an archive holds the time at which it was made
)
def test_a_damaged_archive_is_refused_whole(home: Path, content: bytes) -> None:
    with pytest.raises(BadInput):
        open_archive(io.BytesIO(content), home)
    assert list(home.iterdir()) == []


def test_an_archive_of_another_thing_is_refused(home: Path) -> None:
    with pytest.raises(BadInput, match="holds no run that this version reads"):
        open_archive(zip_of(), home)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("photos/a.txt", "a")
    with pytest.raises(BadInput, match=r"no config\.yaml"):
        open_archive(held, home)
    assert list(home.iterdir()) == []


def test_an_archive_that_unpacks_to_more_than_the_disk_has_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(DiskFull, match="Free some space"):
        open_archive(zip_of(), home)


def test_locks_processes_and_requests_to_stop_of_another_machine_are_left_behind(home: Path) -> None:
    text = run_in(home).config_text.encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        for name in ("config.yaml", "process.json", "stop", ".working.lock", "log.txt"):
            packed.writestr(f"run/{name}", text)
    opened = open_archive(held, workspace_folder("anna"))
    assert {path.name for path in opened.folder.iterdir()} == {"config.yaml", "log.txt"}
