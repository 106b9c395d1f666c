"""Over a cluster the store is the same, row for row, also when a machine goes in the middle of the run."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.errors import ConfigError, RunFailure, SceneError
from engine.extraction import extract as job
from engine.jobs.configuration.config import ExtractConfig, config_hash, parse_config
from engine.jobs.events import Event, ExtractPlanned, TileDone
from engine.store.check import check_store

# Two nodes are two dozen processes, and each worker imports Ray, Arrow and torch before its first tile.
pytestmark = pytest.mark.timeout(900)
WriteRaster = Callable[..., Path]
# Ray believes a silent machine lost after some fifteen seconds; here after five: sooner, a busy one would be lost too.
# Its workers give way to all others (nice 15): with two busy loops beside them none came to its first tile in 150 s.
_QUICK = {
    "worker_niceness": 0,
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 10,
}
_STORE_BYTES = 100 * 2**20


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of this machine alone: a head with one CPU, to which tests add nodes; this process is its driver."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="ray") as folder:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_TMPDIR", folder)
        import ray
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": _STORE_BYTES,
                "_system_config": _QUICK}  # fmt: skip
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            ray.init(address=cluster.address, log_to_driver=False)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()


def config_for(path: Path, **changes: Any) -> ExtractConfig:
    tree = {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
            "tiles": {"size_px": 64}, "device": "cpu", "batch_size": 2, "engine": "ray"}  # fmt: skip
    parsed = parse_config(tree | changes)
    assert isinstance(parsed, ExtractConfig)
    return parsed


def rows_of(folder: Path) -> list[Any]:
    return [pq.read_table(part) for part in sorted((folder / "store").glob("part-*.parquet"))]


def run(config: ExtractConfig, folder: Path) -> list[Event]:
    return list(job.extract(config, folder, folder.parent))


@pytest.fixture
def scene(write_raster: WriteRaster) -> Path:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 320, 320)).astype(np.int16)
    return write_raster("scene.tif", pixels)


def cpus_held_on(node: Any) -> float:
    from ray._private.state import available_resources_per_node

    return 1 - float(available_resources_per_node().get(node.node_id, {}).get("CPU", 0))


def test_with_a_machine_killed_in_the_run_every_row_is_there_once_and_the_same(
    nodes: Any, write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 1344, 1344)).astype(np.int16)
    encoder = {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"}
    config = config_for(
        write_raster("wide.tif", pixels), backbone=encoder, batch_size=1, tiles={"size_px": 224}
    )
    run(config.model_copy(update={"engine": "local"}), tmp_path / "one")
    second = nodes.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
    done: list[TileDone] = []
    for event in job.extract(config, tmp_path / "many", tmp_path):
        match event:
            case ExtractPlanned(device=title):
                assert "2 nodes" in title
            case TileDone():
                if not done:
                    assert cpus_held_on(second) > 0, "an encoder works there"
                    nodes.remove_node(second, allow_graceful=False)
                done.append(event)
    assert len({event.tile_id for event in done}) == len(done) == done[0].total
    one, many = rows_of(tmp_path / "one"), rows_of(tmp_path / "many")
    assert len(one) == len(many)
    assert all(a.equals(b) for a, b in zip(one, many, strict=True))
    assert not check_store(tmp_path / "many" / "store")


def test_a_run_that_was_cancelled_on_the_cluster_is_finished_by_one_process(
    nodes: Any, scene: Path, tmp_path: Path
) -> None:
    config = config_for(scene, tiles={"size_px": 64, "overlap_px": 16, "merge": "blend"})
    local = config.model_copy(update={"engine": "local"})
    assert config_hash(config) == config_hash(local)
    events = job.extract(config, tmp_path / "both", tmp_path)
    for event in events:
        if isinstance(event, TileDone) and event.done == 2:
            events.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "both" / "store").exists()
    run(local, tmp_path / "both")
    run(local, tmp_path / "one")
    pairs = zip(rows_of(tmp_path / "one"), rows_of(tmp_path / "both"), strict=True)
    assert all(a.equals(b) for a, b in pairs)


def test_a_tile_that_cannot_be_read_is_told_as_in_one_process(
    nodes: Any, write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 256, 256)).astype(np.int16)
    packed = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    path = write_raster("torn.tif", pixels, creation=packed)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(2000) + content[middle + 2000 :])
    with pytest.raises(SceneError, match="damaged or cut short: tile"):
        run(config_for(path), tmp_path / "run")


def test_a_gpu_that_the_cluster_lacks_is_refused(nodes: Any, scene: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFailure, match="0 GPUs"):
        run(config_for(scene, device="cuda"), tmp_path / "run")


def test_a_cluster_that_does_not_answer_is_told_at_once(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setattr("ray.is_initialized", lambda: False)
        with pytest.raises(RunFailure, match="RAY_ADDRESS"):
            run(config_for(scene), tmp_path / "run")


def test_without_ray_the_message_says_what_to_install(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"requirements-ray\.txt"):
        run(config_for(scene), tmp_path / "run")


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_ray_numbers_the_gpus_itself(scene: Path, device: str) -> None:
    with pytest.raises(ConfigError, match="Ray numbers"):
        config_for(scene, device=device)


def test_a_cluster_encodes_with_what_this_process_has_drawn_from_the_scenes(
    nodes: Any, scene: Path, tmp_path: Path
) -> None:
    config = config_for(scene, backbone={"name": "rcf"})
    run(config.model_copy(update={"engine": "local"}), tmp_path / "one")
    run(config, tmp_path / "many")
    one, many = rows_of(tmp_path / "one"), rows_of(tmp_path / "many")
    assert one
    assert all(a.equals(b) for a, b in zip(one, many, strict=True))
    assert not check_store(tmp_path / "many" / "store")
