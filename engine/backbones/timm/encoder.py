"""Any timm model as a backbone: ViT, ConvNeXt, ResNet, Swin, EfficientNet, through forward_intermediates."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import timm
import torch
from torch import nn

from engine.backbones.core.batch import Backbone, Batch, Embedded
from engine.backbones.core.batch_checks import one_date, pick_bands, require_multiple
from engine.backbones.core.pixels import layer_numbers, standardised
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.timm.efficientnet_keys import timm_name
from engine.errors import BackboneError, WeightsError

_LITE0_STAGE_BLOCKS = (1, 2, 2, 3, 3, 4, 1)  # EfficientNet-Lite0: Tan & Le 2019, table 1 (B0)
# Constructor arguments with which timm's models take chips of other sizes than their training images.
Standardise = Callable[[Batch], torch.Tensor]
_ANY_SIZE = {"dynamic_img_size": True, "strict_img_size": False, "dynamic_mask": True}


class IntermediatesBackbone:
    """A frozen timm module: standardises, runs no deeper than the layers asked for, drops prefix tokens."""

    def __init__(
        self,
        spec: BackboneSpec,
        module: nn.Module,
        weights_sha256: str,
        settings: Mapping[str, str],
        standardise: Standardise | None = None,
    ) -> None:
        self._standardise = standardise or self._standard
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.module: Any = module.eval().requires_grad_(False)  # timm's methods are not declared on nn.Module
        self._settings = settings
        parameters = inspect.signature(module.forward_intermediates).parameters  # type: ignore[arg-type]
        self._has_prefix = "return_prefix_tokens" in parameters
        self._has_cls = getattr(module, "cls_token", None) is not None

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Embeddings of every chip; see `Backbone.embed`."""
        indices = layer_numbers(self.spec, layers)
        require_multiple(batch.image, max(self.spec.stride_px(layer) for layer in indices), self.spec.name)
        with torch.inference_mode():
            standard = self._standardise(batch)
            maps, prefixes = self._run(standard, sorted(set(indices)))
        order = [sorted(set(indices)).index(index) for index in indices]
        cls = [prefixes[at][:, 0].float() for at in order] if self._has_cls and prefixes else None
        return Embedded(
            [maps[at].permute(0, 2, 3, 1).float() for at in order], cls
        )  # (B, D, h, w) -> (B, h, w, D)

    def _standard(self, batch: Batch) -> torch.Tensor:
        """(B, C, H, W): what the network is given."""
        image, valid = one_date(self._image(batch), batch.valid, self.spec.name)
        seen = self.spec.normalisation
        return standardised(image * seen.scale, seen.mean, seen.std, valid)

    def _image(self, batch: Batch) -> torch.Tensor:
        """(B, T, C, H, W): reflectance, or for networks of photographs true colour with white at 1."""
        image = pick_bands(batch, self.spec.bands, self.spec.name)
        if "rgb_white" not in self._settings:
            return image
        image = image / float(self._settings["rgb_white"])
        return image.clamp(0.0, 1.0) if self._settings["input"] == "rgb" else image

    def _run(self, image: torch.Tensor, indices: list[int]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        try:
            return self._forward(image, indices)
        except AssertionError as err:  # timm's way of refusing a size
            raise BackboneError(
                f"{self.spec.name} takes chips of {self.spec.chip_px} px, not of {image.shape[-2]} x "
                f"{image.shape[-1]} px ({err}). Set tiles.size_px: {self.spec.chip_px}."
            ) from err

    def _forward(
        self, image: torch.Tensor, indices: list[int]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Maps (B, D, h, w) and, of models that have them, prefix tokens (B, P, D) at each index.

        The norm setting `last` follows what encoders are trained to hand on: the last block's tokens go
        through the final norm, those of earlier blocks do not.
        """
        norm = self._settings.get("norm", "last")
        options: dict[str, Any] = {"indices": indices, "norm": norm == "all"}
        if self._has_prefix:
            options["return_prefix_tokens"] = True
        wants_final = self._has_prefix and norm == "last" and indices[-1] == self.spec.depth - 1
        if not wants_final:
            found = self.module.forward_intermediates(
                image, stop_early=True, intermediates_only=True, **options
            )
        else:
            final, found = self.module.forward_intermediates(image, **options)
        if not self._has_prefix:
            return list(found), []
        maps = [item[0] if isinstance(item, tuple) else item for item in found]
        prefixes = [item[1] for item in found if isinstance(item, tuple)]
        if wants_final:
            count = final.shape[1] - maps[-1].shape[2] * maps[-1].shape[3]
            maps[-1] = final[:, count:].transpose(1, 2).reshape(maps[-1].shape)  # (B, h*w, D) -> (B, D, h, w)
            prefixes[-1:] = [final[:, :count]] if count else []
        return maps, prefixes


def encoder(spec: BackboneSpec) -> nn.Module:
    """The timm model of a card without its classifier, with random weights, for as many bands as the card has."""
    return _create(spec, num_classes=0)


def encoder_with(spec: BackboneSpec, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """The timm model with a checkpoint's weights, through timm's own renaming and adaptation of the first layer.

    Raises:
        WeightsError: the checkpoint is of another model.
    """
    published = timm.get_pretrained_cfg(_architecture(spec))
    if "_conv_stem.weight" in state:  # the efficientnet_pytorch package's names
        state = {timm_name(key, _LITE0_STAGE_BLOCKS): tensor for key, tensor in state.items()}
    overlay = {"state_dict": dict(state), "custom_load": False}
    try:
        # With the published number of classes timm loads strictly; the classifier is taken off afterwards.
        module = _create(
            spec,
            num_classes=published.num_classes if published else 0,
            pretrained=True,
            pretrained_cfg_overlay=overlay,
        )
    except (RuntimeError, KeyError, AttributeError, ValueError) as err:
        reason = " ".join(str(err).split())[:400]
        raise WeightsError(
            f"The checkpoint is of another model than {_architecture(spec)}, which {spec.name} is ({reason}). Give the "
            f"checkpoint of this very model."
        ) from err
    module.pretrained_cfg.pop("state_dict", None)  # type: ignore[operator, union-attr]
    module.reset_classifier(0)  # type: ignore[operator]
    return module


def wrap(spec: BackboneSpec, module: nn.Module, weights_sha256: str, settings: Mapping[str, str]) -> Backbone:
    """The model as a backbone."""
    return IntermediatesBackbone(spec, module, weights_sha256, settings)


def _architecture(spec: BackboneSpec) -> str:
    return str(spec.config["timm"])


def _create(spec: BackboneSpec, **options: Any) -> nn.Module:
    name = _architecture(spec)
    accepted = size_options(name)
    module: nn.Module = timm.create_model(name, in_chans=len(spec.bands), **accepted, **options)
    return module


@functools.lru_cache(maxsize=64)
def size_options(name: str) -> dict[str, Any]:
    """The arguments of `_ANY_SIZE` that this model's class takes."""
    with torch.device("meta"):
        model_class = type(timm.create_model(name))
    accepted = inspect.signature(model_class.__init__).parameters
    return {key: value for key, value in _ANY_SIZE.items() if key in accepted}
