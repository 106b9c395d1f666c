"""From a card to a backbone that embeds: find the weights, build the encoder, load, place on the device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from engine.backbones import cards
from engine.backbones.core.device import Device, OnDevice
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import family_of
from engine.backbones.weights import locate as weights
from engine.backbones.weights.checkpoint import open_state
from engine.backbones.weights.download import Progress


def build(
    spec: BackboneSpec,
    weights_from: str,
    device: Device,
    settings: Mapping[str, str] | None = None,
    seed: int = 0,
    bands: Sequence[str] | None = None,
    on_progress: Progress | None = None,
) -> OnDevice:
    """The backbone of a card, frozen, on a device.

    Args:
        weights_from: "pretrained", "random" (drawn from `seed`), or a checkpoint's path.
        settings: see the card; those left out keep their defaults.
        bands: common names of the scene's bands, for backbones that take what there is.
        on_progress: called with bytes so far and in all while weights are fetched.

    Returns:
        A backbone whose `spec` is the card with settings and bands settled: its patch and width are the
        ones to plan with. It takes batches from the CPU and gives float32 on the CPU.

    Raises:
        BackboneError: a setting or band that the backbone cannot use.
        WeightsError: weights that are absent, altered or of another model.
    """
    chosen = settle(spec, settings or {})
    settled = cards.resolve(spec, chosen, bands)
    family = family_of(settled)
    adapter = family.adapter()
    module, sha256 = _network(settled, weights_from, seed, on_progress)
    for name, companion in family.companions(settled).items():
        beside = _beside(weights_from, companion)
        adapter.attach(module, name, _network(companion, beside, seed, on_progress)[0])
    module = module.eval().requires_grad_(False)
    return OnDevice(adapter.wrap(settled, module, sha256, chosen), module, device)


def _network(
    spec: BackboneSpec, weights_from: str, seed: int, on_progress: Progress | None
) -> tuple[nn.Module, str]:
    """A card's network with its weights, and what a store says of them: a sha256, "random" or "none"."""
    adapter = family_of(spec).adapter()
    if spec.weights.kind == "none":
        return adapter.encoder(spec), "none"
    if weights_from == "random":
        with _seeded(seed):
            return adapter.encoder(spec), "random"
    given = None if weights_from == "pretrained" else Path(weights_from)
    path = weights.obtain(spec, given, on_progress)
    sha256 = weights.check(spec, path, is_given=given is not None)
    return adapter.load(spec, open_state(path)), sha256


def _beside(weights_from: str, companion: BackboneSpec) -> str:
    """Where a companion's weights come from: drawn, beside a given checkpoint, or the publisher's."""
    if weights_from in ("random", "pretrained"):
        return weights_from
    beside = Path(weights_from).parent / companion.weights.file
    return str(beside) if beside.is_file() else "pretrained"


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's initialisers draw from the global generator: it is seeded inside and left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
