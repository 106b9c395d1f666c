"""Figures of a training: from the disk to a trained decoder, beside two loops that train the same head on the same chips.

python tests/bench/train.py --json

The plain loop reads one embedding file a sample and epoch with rasterio, as TerraTorch's data sets do (GeoTIFF, float32, read
with its mask, gaps filled, bands last, the label raster beside it as numbers), and learns with torch's own loss and optimiser. It
looks at the validation chips after every epoch, as they do. They read with rioxarray, which costs more than the
plain rasterio here. The bare loop has the same tensors in memory already and does nothing but steps. All take the same head, the
same batches and the same loss, which is checked before. TerraTorch's own tutorial head, which brings every patch to its pixels
by four doublings of 256 channels, is timed by one batch.

Names that end in `_cpu_s` are seconds of the processor: on a machine that does other work beside, only they can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as every job has it; torch reads it when it is imported

import numpy as np
import rasterio
import torch
from affine import Affine

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
CHIPS_A_BATCH = 8
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
    config = TrainConfig(store="", head={"name": chosen.head}, epochs=chosen.epochs, patience=chosen.epochs)
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
    torch.optim.AdamW([torch.zeros(1)])  # torch imports its compiler first, which is no part of a loop
    own_s, own_cpu_s, (epochs, data) = timed(lambda: own_loop(config, room, labels, split, shape, device))
    require_same_loss(data)
    bare_s, bare_cpu_s, _ = timed(lambda: bare_loop(config, data, shape))
    # Two epochs of the plain loop are enough: each takes as long as another.
    few = min(2, config.epochs)
    plain_s, plain_cpu_s, _ = timed(lambda: plain_loop(config, room / "files", data, shape, few))
    batch_s, batch_cpu_s, _ = timed(lambda: tutorial_step(data))
    train_epoch_s = chips * SIDE**2 / float(np.median([epoch.patches_per_second for epoch in epochs]))
    return {
        "head": config.head.name,
        "chips": chips,
        "patches": chips * SIDE**2,
        "epochs": config.epochs,
        "own_s": own_s,
        "own_cpu_s": own_cpu_s,
        "own_epoch_s": float(np.median([epoch.seconds for epoch in epochs])),
        "own_train_epoch_s": train_epoch_s,
        "first_epoch_s": epochs[0].seconds,
        "bare_epoch_s": bare_s / config.epochs,
        "bare_epoch_cpu_s": bare_cpu_s / config.epochs,
        "plain_epoch_s": plain_s / few,
        "plain_epoch_cpu_s": plain_cpu_s / few,
        "tutorial_head_epoch_s": batch_s * chips / CHIPS_A_BATCH,
        "tutorial_head_epoch_cpu_s": batch_cpu_s * chips / CHIPS_A_BATCH,
        "times_faster": plain_s / few * config.epochs / own_s,
        "times_faster_cpu": plain_cpu_s / few * config.epochs / own_cpu_s,
        "times_bare": train_epoch_s / (bare_s / config.epochs),
    }


def own_loop(
    config: TrainConfig, room: Path, labels: Path, split: dict[str, np.ndarray], shape: Shape, device: torch.device
) -> tuple[list[EpochDone], TrainingData]:  # fmt: skip
    """From the store and its labels on the disk to a trained decoder, with validation and the film."""
    store = EmbeddingStore.open(room / "run")
    truth = read_labels(open_labels(labels), store)
    data = load_data(store, truth, split, store.meta.layers, BURN_SCARS, shape, device)
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, device)
    with threads_for(weights_of(decoder), config.batch_patches, device):
        events = list(learn(config, BURN_SCARS, data, decoder, generator, room))
    return [event for event in events if isinstance(event, EpochDone)], data


def bare_loop(config: TrainConfig, data: TrainingData, shape: Shape) -> None:
    """Nothing but steps on tensors that are in memory."""
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, data.features.device)
    with threads_for(weights_of(decoder), config.batch_patches, data.features.device):

        def ready() -> Iterator[Batch]:
            return data.batches("train", config.batch_patches, decoder.sees_neighbours, generator)

        for _ in range(config.epochs):
            steps(config, decoder, ready, own_loss)


def plain_loop(config: TrainConfig, folder: Path, data: TrainingData, shape: Shape, epochs: int) -> None:
    """One file a sample: embeddings and mask are read for every chip and epoch, then those of the validation chips."""
    generator = torch.Generator().manual_seed(0)
    decoder = build_decoder(config.head, shape, (data.mean, data.std), generator, data.features.device)
    paths, chosen = ([folder / f"{span.tile.id}.tif" for span in data.spans[name]] for name in SPLITS[:2])
    together, device = max(1, config.batch_patches // SIDE**2), decoder.mean.device
    with threads_for(weights_of(decoder), config.batch_patches, data.features.device):
        for _ in range(epochs):
            order = [paths[i] for i in torch.randperm(len(paths), generator=generator).tolist()]
            steps(config, decoder, lambda: read_batches(order, together), plain_loss)  # noqa: B023
            decoder.eval()
            with torch.no_grad():
                for embeddings, labels in read_batches(chosen, together):
                    outputs, truth = decoder(embeddings.to(device)), labels.to(device)
                    plain_loss(outputs, truth)
                    BURN_SCARS.counts(outputs, truth)


def read_batches(paths: list[Path], together: int) -> Iterator[Batch]:
    """Batches of so many chips, in the order of the files."""
    for first in range(0, len(paths), together):
        yield read_batch(paths[first : first + together])


def tutorial_step(data: TrainingData) -> None:
    """One step of TerraTorch's tutorial head (FCNDecoder: 256 channels, four doublings, then classes) on one batch."""
    device, dim, chips = data.features.device, data.shape.dim, CHIPS_A_BATCH
    blocks = [
        torch.nn.Sequential(
            torch.nn.ConvTranspose2d(before, after, 2, stride=2),
            torch.nn.Conv2d(after, after, 3, padding=1),
            torch.nn.GroupNorm(1, after),
            torch.nn.GELU(),
        )
        for before, after in pairwise([dim, 256, 256, 256, 256])
    ]
    head = torch.nn.Sequential(*blocks, torch.nn.Conv2d(256, 2, 1)).to(device)
    rows = data.features[: chips * SIDE**2].float().view(chips, SIDE, SIDE, dim)
    blocks_of_labels = data.labels[: chips * SIDE**2].view(chips, SIDE, SIDE, PATCH_PX, PATCH_PX)
    truth = blocks_of_labels.transpose(2, 3).reshape(chips, SIDE * PATCH_PX, SIDE * PATCH_PX).long()
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
    torch.nn.functional.cross_entropy(head(rows.permute(0, 3, 1, 2)), truth, ignore_index=-1).backward()
    optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()


def own_loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The default loss of a training, as this project works it out."""
    return BURN_SCARS.loss(outputs, labels, TrainConfig(store="").loss)


def plain_loss(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The same sum of cross-entropy and Dice, in torch's own words."""
    known = labels >= 0
    logits, truth = outputs[known], labels[known].to(outputs.dtype)
    share = logits.sigmoid()
    dice = 1 - (2 * (share * truth).sum() + 1) / (share.sum() + truth.sum() + 1)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth) + dice


def require_same_loss(data: TrainingData) -> None:
    """Check that both losses are one: else the loops would not learn the same."""
    labels = data.labels[: SIDE**2]
    outputs = torch.randn(labels.shape, generator=torch.Generator().manual_seed(0)).to(labels.device)
    torch.testing.assert_close(own_loss(outputs, labels), plain_loss(outputs, labels))


def steps(
    config: TrainConfig, decoder: Decoder, batches: Callable[[], Any], loss_of: Callable[..., torch.Tensor]
) -> None:
    """One epoch of steps."""
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-3, weight_decay=config.weight_decay)
    decoder.train()
    for embeddings, labels in batches():
        device = decoder.mean.device
        loss = loss_of(decoder(embeddings.to(device)), labels.to(device))
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
            values = np.ma.filled(dataset.read(masked=True), np.nan)
        features.append(torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, 0, -1))))
        with rasterio.open(path.with_suffix(".mask.tif")) as dataset:
            mask = torch.from_numpy(np.ma.filled(dataset.read(1, masked=True).astype(np.float32), -1)).long()
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
        name = f"chip{index:04d}"
        tile = StoredTile(
            name, "EPSG:32610", origin, SIDE, SIDE, side_px, side_px, (None,), (name,), None
        )  # fmt: skip
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


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, seconds of the processor, and what the work gives."""
    began, cpu = time.monotonic(), time.process_time()
    found = work()
    return time.monotonic() - began, time.process_time() - cpu, found


if __name__ == "__main__":
    assert SPLITS == ("train", "validation", "test")
    main()
