"""Where an encoder runs: accelerator, precision, and a batch that fits in its memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from engine.backbones.core.batch import Backbone, Batch, Embedded, as_reflectance, join, take
from engine.backbones.core.cpu_flags import has_bfloat16
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError, DeviceFailure

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
                f"The device {device} is not here: torch sees {count} CUDA devices. Set device: auto or cpu."
            )
        hardware = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
        return Device(f"cuda:{index}", precision or hardware, torch.cuda.get_device_name(index))
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BackboneError("The device mps is not here: torch sees no Apple GPU. Set device: auto or cpu.")
    if kind == "mps":
        return Device("mps", precision or torch.float32, "Apple GPU")
    return Device("cpu", precision or _cpu_precision(), f"CPU, {torch.get_num_threads()} threads")


def describe(device: Device) -> str:
    """For a log or a panel: `NVIDIA H100 (cuda:0), bfloat16`."""
    return f"{device.title} ({device.name}), {str(device.precision).removeprefix('torch.')}"


class Stopped(Exception):
    """A pass that nobody waits for any more."""


class Pending:
    """Embeddings that a device is working on; on the CPU they are there already."""

    def __init__(self, parts: Sequence[Embedded], done: Sequence[torch.cuda.Event] = ()) -> None:
        self._parts, self._done = list(parts), list(done)

    def result(self) -> Embedded:
        """The embeddings on the CPU, once the device is done with them; may be asked for again."""
        for event in self._done:
            event.synchronize()
        self._done = []
        self._parts = [join(self._parts)]
        return self._parts[0]


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
        self._backbone, self._module = backbone, module
        # A few adapters standardise stored integers themselves; the others are given reflectance.
        self._takes_stored = bool(getattr(backbone, "takes_stored", False))
        is_cuda = device.name.startswith("cuda")
        self._side = torch.cuda.Stream(device.name) if is_cuda else None
        if module is not None:
            module.to(device.name)
            if self.spec.layer_strides:
                # Convolutions read channels last without a copy: tensor cores do, and a CPU's vectors too (ResNet-18
                # took 0.6 to 0.75 of the time, ConvNeXt as long as before).
                module.to(memory_format=torch.channels_last)

    def compile(self) -> None:
        """Compile the encoder's repeated parts: one graph serves all of its blocks."""
        for part in _repeated(self._module):
            part.compile()

    def stop(self) -> None:
        """End passes that run in other threads at their next block: they, and later ones, raise `Stopped`."""
        for part in _repeated(self._module):
            part.register_forward_pre_hook(_stop)

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Embeddings of every chip; halves the batch when memory runs out and remembers the size.

        Raises:
            DeviceFailure: a single chip does not fit.
        """
        return self.begin(batch, layers).result()

    def begin(self, batch: Batch, layers: Sequence[int]) -> Pending:
        """As `embed`, without waiting for a CUDA device: the next batch may be moved there meanwhile.

        Raises:
            DeviceFailure: a single chip does not fit.
        """
        count = batch.image.shape[0]
        step = min(count, self.largest_batch or count)
        parts: list[Embedded] = []
        done: list[torch.cuda.Event] = []
        start = 0
        while start < count:
            part = take(batch, start, start + step)
            try:
                parts.append(self._embed_here(part, layers, done))
                start += step
            except (torch.OutOfMemoryError, RuntimeError) as err:
                if not _is_out_of_memory(err):
                    raise
                step = self._halved(step, err)
        return Pending(parts, done)

    def _halved(self, step: int, err: BaseException) -> int:
        _free(self.device)
        if step == 1:
            raise DeviceFailure(
                f"{self.spec.name} does not fit: {describe(self.device)} has no memory left for one chip. "
                f"Choose smaller tiles (tiles.size_px), a smaller backbone, or device: cpu."
            ) from err
        self.largest_batch = step // 2
        return self.largest_batch

    def _embed_here(self, batch: Batch, layers: Sequence[int], done: list[torch.cuda.Event]) -> Embedded:
        kind = self.device.name.partition(":")[0]
        is_lower = self.device.precision != torch.float32
        moved = self._moved(batch)
        with torch.inference_mode(), torch.autocast(kind, self.device.precision, enabled=is_lower):
            embedded = self._backbone.embed(moved if self._takes_stored else as_reflectance(moved), layers)
        if self._side is None:
            maps = [item.float().cpu() for item in embedded.maps]
            return Embedded(
                maps, None if embedded.cls is None else [item.float().cpu() for item in embedded.cls]
            )
        maps = [_fetched(item) for item in embedded.maps]
        cls = None if embedded.cls is None else [_fetched(item) for item in embedded.cls]
        ready = torch.cuda.Event()
        ready.record(torch.cuda.current_stream(self.device.name))
        done.append(ready)
        return Embedded(maps, cls)

    def _moved(self, batch: Batch) -> Batch:
        """Pixels, mask and location on the device; names, wavelengths and dates stay where they are.

        On CUDA a stream of its own moves them while the one before is computed, if the memory is pinned.
        """
        name = self.device.name
        if self._side is None:
            return dataclasses.replace(
                batch,
                image=batch.image.to(name),
                valid=batch.valid.to(name),
                lonlat=None if batch.lonlat is None else batch.lonlat.to(name),
            )
        with torch.cuda.stream(self._side):
            moved = dataclasses.replace(
                batch,
                image=batch.image.to(name, non_blocking=True),
                valid=batch.valid.to(name, non_blocking=True),
                lonlat=None if batch.lonlat is None else batch.lonlat.to(name),
            )
        here = torch.cuda.current_stream(name)
        here.wait_stream(self._side)
        for tensor in (moved.image, moved.valid, moved.lonlat):
            if tensor is not None:
                tensor.record_stream(here)  # its memory is not given away before this stream is done with it
        return moved


def _stop(*_: object) -> None:
    raise Stopped


def _fetched(item: torch.Tensor) -> torch.Tensor:
    """A result on its way to pinned memory of the CPU; there once the stream has come so far."""
    item = item.float()
    return torch.empty(item.shape, dtype=item.dtype, pin_memory=True).copy_(item, non_blocking=True)


def _repeated(module: nn.Module | None) -> list[nn.Module]:
    """The blocks of an encoder: members of its lists and sequences that stand there more than once."""
    found: list[nn.Module] = []
    for part in module.modules() if module is not None else ():
        if isinstance(part, nn.ModuleList | nn.Sequential):
            kinds = [type(member) for member in part]
            found += [member for member in part if kinds.count(type(member)) > 1 and any(member.children())]
    return found


def _is_out_of_memory(err: BaseException) -> bool:
    words = str(err).lower()
    return isinstance(err, torch.OutOfMemoryError) or any(word in words for word in _MEMORY_WORDS)


def _free(device: Device) -> None:
    if device.name.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device.name == "mps":
        torch.mps.empty_cache()


def _cpu_precision() -> torch.dtype:
    return torch.bfloat16 if has_bfloat16() else torch.float32
