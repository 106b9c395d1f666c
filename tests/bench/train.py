"""Figures of a training: from the disk to a trained decoder, beside two loops that train the same head on the same chips.

python tests/bench/train.py --json

The plain loop reads one embedding file a sample and epoch, as data loaders of folders do (GeoTIFF, float32, with the mask
beside it). The bare loop has the same tensors in memory already and does nothing but steps.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from affine import Affine

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone
from engine.labels.reading import BURNED_OR_NOT
from engine.labels.sidecar import Labels, open_labels, read_labels, write_labels
from engine.learning.dataset import Batch, TrainingData, load_data
from engine.learning.heads.decoder import Decoder
from engine.learning.heads.sizes import Shape, shape_of
from engine.learning.heads.table import build_decoder
from engine.learning.loop.epochs import learn
from engine.learning.loop.threads import threads_for
from engine.learning.splits.split import SPLITS
from engine.learning.tasks.table import BURN_SCARS
from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter

SIDE, PATCH_PX = 14, 16
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, default=96, help="training chips; a quarter more validate")
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--head", choices=("linear", "mlp", "conv"), default="mlp")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    config = TrainConfig(
        store="",
        head={"name": chosen.head},
        epochs=chosen.epochs,
        patience=chosen.epochs,
        batch_patches=8 * SIDE**2,
    )
    with tempfile.TemporaryDirectory() as room:
        found = measured(Path(room), config, chosen.chips, chosen.dim, torch.device(chosen.device))
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value if isinstance(value, str) else format(value, '.4g')}")


def measured(room: Path, config: TrainConfig, chips: int, dim: int, device: torch.device) -> dict[str, Any]:
    """Seconds of the three ways, and what the first one takes for its parts."""
    store, labels = make_store(room, chips + max(2, chips // 4), dim)
    indices = np.arange(len(store.tiles))
    split = {"train": indices[:chips], "validation": indices[chips:-1], "test": indices[-1:]}
    shape = shape_of(BURN_SCARS, store.meta.dims, (1,), PATCH_PX)
    write_files(room / "files", store, labels)
    own_s, epochs, data = timed(lambda: own_loop(config, room, labels, split, shape, device))
    bare_s, _, _ = timed(lambda: bare_loop(config, data, shape))
    # Two epochs of the plain loop are enough: each takes as long as another.
    few = min(2, config.epochs)
    plain_s, _, _ = timed(lambda: plain_loop(config, room / "files", data, shape, few))
    first = epochs[0].seconds if epochs else 0.0
    return {
        "head": config.head.name,
        "chips": chips,
        "patches": chips * SIDE**2,
        "epochs": config.epochs,
        "own_s": own_s,
        "own_epoch_s": float(np.median([epoch.seconds for epoch in epochs])),
        "own_train_epoch_s": chips
        * SIDE**2
        / float(np.median([epoch.patches_per_second for epoch in epochs])),
        "first_epoch_s": first,
        "bare_epoch_s": bare_s / config.epochs,
        "plain_epoch_s": plain_s / few,
        "times_faster": plain_s / few * config.epochs / own_s,
        "times_bare": chips
        * SIDE**2
        / float(np.median([e.patches_per_second for e in epochs]))
        / (bare_s / config.epochs),
    }


def own_loop(
    config: TrainConfig,
    room: Path,
    labels: Path,
    split: dict[str, np.ndarray],
    shape: Shape,
    device: torch.device,
) -> tuple[list[EpochDone], TrainingData]:
    """From the store and its labels on the disk to a trained decoder, with validation and the film."""
    store = EmbeddingStore.open(room / "run")
    truth = read_labels(open_labels(labels), store)
    data = load_data(store, truth, split, store.meta.layers, BURN_SCARS, shape, device)
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, device)
    with threads_for(weights_of(decoder), config.batch_patches, device):
        events = list(learn(config, BURN_SCARS, data, decoder, generator, room))
    return [event for event in events if isinstance(event, EpochDone)], data


def bare_loop(config: TrainConfig, data: TrainingData, shape: Shape) -> tuple[None, None]:
    """Nothing but steps on tensors that are in memory."""
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, data.features.device)
    with threads_for(weights_of(decoder), config.batch_patches, data.features.device):
        for _ in range(config.epochs):
            steps(
                config,
                decoder,
                lambda: data.batches("train", config.batch_patches, decoder.sees_neighbours, generator),
            )
    return None, None


def plain_loop(
    config: TrainConfig, folder: Path, data: TrainingData, shape: Shape, epochs: int
) -> tuple[None, None]:
    """One file a sample: embeddings and mask are read for every chip and epoch."""
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, data.features.device)
    paths = [folder / f"{span.tile.id}.tif" for span in data.spans["train"]]
    with threads_for(weights_of(decoder), config.batch_patches, data.features.device):
        for _ in range(epochs):
            order = torch.randperm(len(paths), generator=generator).tolist()
            batches = [order[first : first + 8] for first in range(0, len(order), 8)]
            steps(config, decoder, lambda: (read_batch([paths[i] for i in chosen]) for chosen in batches))  # noqa: B023
    return None, None


def steps(config: TrainConfig, decoder: Decoder, batches: Callable[[], Any]) -> None:
    """One epoch of steps."""
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-3, weight_decay=config.weight_decay)
    decoder.train()
    for embeddings, labels in batches():
        device = decoder.mean.device
        loss = BURN_SCARS.loss(decoder(embeddings.to(device)), labels.to(device), config.loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if decoder.mean.device.type == "cuda":
        torch.cuda.synchronize()


def read_batch(paths: list[Path]) -> Batch:
    """Embeddings (B, h, w, D) and labels (B, h, w, p * p) of some chips, one file each."""
    features, labels = [], []
    for path in paths:
        with rasterio.open(path) as dataset:
            features.append(torch.from_numpy(dataset.read()).permute(1, 2, 0))
        with rasterio.open(path.with_suffix(".mask.tif")) as dataset:
            mask = torch.from_numpy(dataset.read(1))
        blocks = mask.view(SIDE, PATCH_PX, SIDE, PATCH_PX).transpose(1, 2)
        labels.append(blocks.reshape(SIDE, SIDE, -1))
    return torch.stack(features), torch.stack(labels)


def make_store(room: Path, chips: int, dim: int) -> tuple[EmbeddingStore, Path]:
    """A store of chips whose embeddings tell their labels, and the labels' file."""
    meta = StoreMeta(
        schema_version=SCHEMA_VERSION, backbone="bench", weights_sha256="none", layers=(0,), dims=(dim,), columns=("embedding",),
        granularity="patch", pooling=None, patch_px=PATCH_PX, gsd_m=30.0, dtype="float16", bands=("red",), is_simulated=True,
        source="bench", config_hash="bench", config={},
    )  # fmt: skip
    chance = np.random.default_rng(0)
    writer, every = StoreWriter(room / "run", meta), []
    direction = chance.normal(size=dim)
    for index in range(chips):
        features = chance.normal(size=(SIDE**2, dim)).astype(np.float16)
        sought = features.astype(np.float32) @ direction / np.sqrt(dim) > 0.7
        every.append(np.repeat(sought.astype(np.int8)[:, None], PATCH_PX**2, axis=1))
        origin = (30.0, 0.0, 500_000.0 + index * 9_000, 0.0, -30.0, 4_500_000.0)
        side_px = SIDE * PATCH_PX
        tile = StoredTile(
            f"chip{index:04d}",
            "EPSG:32610",
            origin,
            SIDE,
            SIDE,
            side_px,
            side_px,
            (None,),
            (f"chip{index:04d}",),
            None,
        )
        writer.append(TileRows(tile, (features,), np.ones(SIDE**2, np.float32)))
    store = EmbeddingStore.open(writer.finish())
    values, path = np.concatenate(every), room / "labels.parquet"
    write_labels(Labels(path, "bench", BURNED_OR_NOT.counts_of(values), 0), store, values, "bench")
    return store, path


def write_files(folder: Path, store: EmbeddingStore, labels: Path) -> None:
    """The same as one GeoTIFF of embeddings and one mask a chip."""
    folder.mkdir()
    truth, first = read_labels(open_labels(labels), store), 0
    for tile, values, _ in store.iterate():
        own = truth[first : first + tile.rows].reshape(SIDE, SIDE, PATCH_PX, PATCH_PX)
        first += tile.rows
        mask = own.swapaxes(1, 2).reshape(tile.height_px, tile.width_px)
        write_tif(folder / f"{tile.id}.tif", np.moveaxis(values, -1, 0).astype(np.float32), 480.0)
        write_tif(folder / f"{tile.id}.mask.tif", mask[None], 30.0)


def write_tif(path: Path, pixels: np.ndarray, side_m: float) -> None:
    profile = {
        "driver": "GTiff", "count": len(pixels), "height": pixels.shape[1], "width": pixels.shape[2],
        "dtype": pixels.dtype.name, "crs": "EPSG:32610", "transform": Affine(side_m, 0, 500_000, 0, -side_m, 4_500_000),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(pixels)


def weights_of(decoder: Decoder) -> int:
    return sum(parameter.numel() for parameter in decoder.parameters())


def timed(work: Callable[[], tuple[Any, Any]]) -> tuple[float, Any, Any]:
    began = time.monotonic()
    first, second = work()
    return time.monotonic() - began, first, second


if __name__ == "__main__":
    assert SPLITS == ("train", "validation", "test")
    main()
