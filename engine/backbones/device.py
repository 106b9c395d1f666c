"""Where an encoder runs: accelerator, precision, and a batch that fits in its memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from engine.backbones.batch import Backbone, Batch, Embedded
from engine.backbones.spec import BackboneSpec
from engine.errors import BackboneError, DeviceFailure

# Flags of CPUs that multiply bfloat16 in hardware: Intel, Architecture Instruction Set Extensions.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True)
class Device:
    """One processor and the precision it computes in.

    Attributes:
        name: "cpu", "mps" or "cuda:N", as torch takes it.
        precision: of matrix products and convolutions; weights and results stay float32.
        title: what a person calls it.
    """

    name: str
    precision: torch.dtype
    title: str


def choose(device: str = "auto", precision: torch.dtype | None = None) -> Device:
    """The device asked for; auto takes CUDA, then Apple's, then the CPU.

    Args:
        device: auto, cpu, mps, cuda or cuda:N.
        precision: None: bfloat16 where the hardware computes in it, float32 elsewhere.

    Raises:
        BackboneError: this machine does not have it.
    """
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    kind, _, number = device.partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = int(number or 0)
        if index >= count:
            raise BackboneError(
                f"device {device} was wanted; torch sees {count} CUDA devices here. Set device: auto or cpu."
            )
        hardware = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
        return Device(f"cuda:{index}", precision or hardware, torch.cuda.get_device_name(index))
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BackboneError("device mps was wanted; torch finds no Apple GPU here. Set device: auto or cpu.")
    if kind == "mps":
        return Device("mps", precision or torch.float32, "Apple GPU")
    return Device("cpu", precision or _cpu_precision(), f"CPU, {torch.get_num_threads()} threads")


def describe(device: Device) -> str:
    """For a log or a panel: `NVIDIA H100 (cuda:0), bfloat16`."""
    return f"{device.title} ({device.name}), {str(device.precision).removeprefix('torch.')}"


class OnDevice:
    """A backbone that runs on a device: takes batches from the CPU, gives float32 on the CPU.

    Attributes:
        largest_batch: the most chips that have fitted once memory ran out; None while it has not.
    """

    def __init__(self, backbone: Backbone, module: nn.Module | None, device: Device) -> None:
        self.spec: BackboneSpec = backbone.spec
        self.weights_sha256: str = backbone.weights_sha256
        # Convolutional networks stay in float32: in bfloat16 the deep stages of the cloud-mask encoder keep a
        # cosine of 0.997 to their own float32 only, transformers keep more than 0.999.
        self.device = (
            dataclasses.replace(device, precision=torch.float32) if self.spec.layer_strides else device
        )
        self.largest_batch: int | None = None
        self._backbone = backbone
        if module is not None:
            module.to(device.name)
            if self.spec.layer_strides and device.name != "cpu":
                # Convolutions on tensor cores read channels last without a copy.
                module.to(memory_format=torch.channels_last)

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Embeddings of every chip; halves the batch when memory runs out and remembers the size.

        Raises:
            DeviceFailure: a single chip does not fit.
        """
        count = batch.image.shape[0]
        step = min(count, self.largest_batch or count)
        parts: list[Embedded] = []
        start = 0
        while start < count:
            part = take(batch, start, start + step)
            try:
                parts.append(self._embed_here(part, layers))
                start += step
            except (torch.OutOfMemoryError, RuntimeError) as err:
                if not _is_out_of_memory(err):
                    raise
                step = self._halved(step, err)
        return join(parts)

    def _halved(self, step: int, err: BaseException) -> int:
        _free(self.device)
        if step == 1:
            raise DeviceFailure(
                f"{self.spec.name} wanted memory for one chip; {describe(self.device)} has none left. "
                f"Choose smaller tiles (tiles.size_px), a smaller backbone, or device: cpu."
            ) from err
        self.largest_batch = step // 2
        return self.largest_batch

    def _embed_here(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        kind = self.device.name.partition(":")[0]
        is_lower = self.device.precision != torch.float32
        # image, valid and place travel; names, wavelengths and dates stay where they are
        moved = dataclasses.replace(
            batch,
            image=batch.image.to(self.device.name, torch.float32, non_blocking=True),
            valid=batch.valid.to(self.device.name, non_blocking=True),
            lonlat=None if batch.lonlat is None else batch.lonlat.to(self.device.name),
        )
        with torch.inference_mode(), torch.autocast(kind, self.device.precision, enabled=is_lower):
            embedded = self._backbone.embed(moved, layers)
        maps = [item.float().cpu() for item in embedded.maps]
        return Embedded(maps, None if embedded.cls is None else [item.float().cpu() for item in embedded.cls])


def embed_halving(backbone: Backbone, batch: Batch, layers: Sequence[int]) -> Embedded:
    """Embeddings of a batch by any backbone, in halves, and halves of halves, when memory runs out.

    Raises:
        DeviceFailure: a single chip does not fit.
    """
    try:
        return backbone.embed(batch, layers)
    except (torch.OutOfMemoryError, RuntimeError) as err:
        if not _is_out_of_memory(err):
            raise
        count = batch.image.shape[0]
        if count == 1:
            raise DeviceFailure(
                f"{backbone.spec.name} wanted memory for one chip; there is none left. Choose smaller tiles."
            ) from err
    middle = count // 2
    halves = [take(batch, 0, middle), take(batch, middle, count)]
    return join([embed_halving(backbone, half, layers) for half in halves])


def take(batch: Batch, start: int, stop: int) -> Batch:
    """Chips start (inclusive) to stop (exclusive) of a batch."""
    return dataclasses.replace(
        batch,
        image=batch.image[start:stop],
        valid=batch.valid[start:stop],
        datetimes=batch.datetimes[start:stop],
        lonlat=None if batch.lonlat is None else batch.lonlat[start:stop],
    )


def join(parts: Sequence[Embedded]) -> Embedded:
    """One result of several, chips in the order of the parts."""
    if len(parts) == 1:
        return parts[0]
    maps = [torch.cat(maps) for maps in zip(*(part.maps for part in parts), strict=True)]
    have_cls = [part.cls for part in parts if part.cls is not None]
    if not have_cls:
        return Embedded(maps)
    return Embedded(maps, [torch.cat(tokens) for tokens in zip(*have_cls, strict=True)])


def _is_out_of_memory(err: BaseException) -> bool:
    words = str(err).lower()
    return isinstance(err, torch.OutOfMemoryError) or any(word in words for word in _MEMORY_WORDS)


def _free(device: Device) -> None:
    if device.name.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device.name == "mps":
        torch.mps.empty_cache()


def _cpu_precision() -> torch.dtype:
    flags = Path("/proc/cpuinfo")
    if not flags.is_file():
        return torch.float32
    words = set(flags.read_text(encoding="utf-8", errors="replace").split())
    return torch.bfloat16 if words & _BFLOAT16_FLAGS else torch.float32
