"""The hooks by which a family of backbones enters the table `engine.backbones.families.FAMILIES`.

Everything that the rest of the engine asks of a family goes through these two dataclasses. Cards and hooks of
`Family` are read without torch; `Family.adapter` and `Family.golden` import it when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.core.statistics import BandStatistics, card_statistics
from engine.errors import BackboneError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.backbones.core.batch import Backbone, Batch

# The facts of a case, the tensors of its weights and its inputs -> each output by name, computed when it is called.
# The values are torch.Tensor, which is not imported here.
GoldenRunner = Callable[[Mapping[str, Any], dict[str, Any], dict[str, Any]], Mapping[str, Callable[[], Any]]]


def not_alone(spec: BackboneSpec, *_: object) -> Backbone:
    """`Adapter.wrap` of a network that only serves another one.

    Raises:
        BackboneError: always.
    """
    raise BackboneError(
        f"{spec.name} gives no embeddings of its own. Choose the backbone that it belongs to."
    )


def attach_nothing(_: object, name: str, __: object) -> None:
    """`Adapter.attach` of a family without companions."""
    raise AssertionError(f"{name} was attached to a family that has no companions")


def draw_nothing(spec: BackboneSpec, *_: object) -> dict[str, torch.Tensor]:
    """`Adapter.draw` of a family whose weights are not drawn from scenes."""
    raise AssertionError(f"the weights of {spec.name} are not drawn from scenes")


@dataclass(frozen=True)
class Adapter:
    """The part of a family that needs torch.

    Attributes:
        encoder: the network of a settled card with random weights, drawn from torch's global generator.
        load: the same network with a checkpoint's tensors under their published names. It is strict: a tensor that
            is missing, unexpected or of another shape raises `WeightsError`.
        wrap: the network as a `Backbone`; arguments: settled card, network, sha256 of the weights, settings.
        attach: gives the network one of its companions; arguments: network, the companion's name, its network.
        draw: the tensors that `load` takes, of weights whose card says that they come from scenes; arguments: settled
            card, batches of pixels of the run's scenes, seed.
    """

    encoder: Callable[[BackboneSpec], nn.Module]
    load: Callable[[BackboneSpec, Mapping[str, torch.Tensor]], nn.Module]
    wrap: Callable[[BackboneSpec, Any, str, Mapping[str, str]], Backbone] = not_alone
    attach: Callable[[Any, str, nn.Module], None] = attach_nothing
    draw: Callable[[BackboneSpec, Sequence[Batch], int], Mapping[str, torch.Tensor]] = draw_nothing


def unchanged(spec: BackboneSpec, _: Mapping[str, str], __: Sequence[str] | None) -> BackboneSpec:
    """`Family.resolve` of a family whose cards do not depend on settings or bands."""
    return spec


def no_companions(_: BackboneSpec) -> Mapping[str, BackboneSpec]:
    """`Family.companions` of a family whose backbones need one checkpoint each."""
    return MappingProxyType({})


def no_golden() -> Mapping[str, GoldenRunner]:
    """`Family.golden` of a family without golden cases."""
    return MappingProxyType({})


def no_other_card(_: str) -> BackboneSpec | None:
    """`Family.other_card` of a family whose cards are all in the table."""
    return None


@dataclass(frozen=True)
class Family:
    """Backbones that one adapter builds.

    Attributes:
        name: what `BackboneSpec.family` says.
        title: what a person calls it.
        cards: the backbones that a person can choose, in the order of the table.
        adapter: imports the part that needs torch.
        resolve: the card with what settings and the scene's bands decide; arguments: card, every setting with its
            value, the scene's bands (None where no scene is at hand).
        companions: cards of other networks that a settled card reads some of its input through, by name; their
            weights are fetched and loaded with the backbone's own.
        other_card: the card of a name that is not in the table, or None where the name is not this family's.
        statistics: the means and deviations of a settled card by band; arguments: card, every setting with its value.
        golden: imports the runners of golden cases, by the word that a case has for its `family`.
    """

    name: str
    title: str
    cards: tuple[BackboneSpec, ...]
    adapter: Callable[[], Adapter]
    resolve: Callable[[BackboneSpec, Mapping[str, str], Sequence[str] | None], BackboneSpec] = unchanged
    companions: Callable[[BackboneSpec], Mapping[str, BackboneSpec]] = no_companions
    other_card: Callable[[str], BackboneSpec | None] = no_other_card
    statistics: Callable[[BackboneSpec, Mapping[str, str]], Mapping[str, BandStatistics]] = card_statistics
    golden: Callable[[], Mapping[str, GoldenRunner]] = no_golden
