"""TerraMind v1: one sequence of patches from any set of modalities through a transformer trunk.

Source: Jakubik et al. 2025 (arXiv:2504.11171); terratorch, models/backbones/terramind. Another chip size than
the training one interpolates the position tables at run time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.blocks import layer_norm, through, trunk
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.parts.positions import transposed_table
from engine.backbones.terramind.modalities import MODALITIES
from engine.backbones.terramind.modality_tokens import NativeGrid, SequenceEmbedding, make_embedding
from engine.backbones.terramind.settings import modality_bands, modality_names
from engine.backbones.weights.checkpoint import require_same_tensors
from engine.errors import BackboneError, WeightsError
from engine.nearest import nearest


class TerraMindEncoder(nn.Module):
    """The encoder half for a chosen set of modalities.

    Args:
        embeddings: modality name -> its embedding.
    """

    def __init__(
        self, embeddings: dict[str, nn.Module], patch_px: int, dim: int, depth: int, heads: int,
        mlp_ratio: float, norm_eps: float, qkv_bias: bool, proj_bias: bool, gated: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.patch_px = patch_px
        self.encoder_embeddings = nn.ModuleDict(embeddings)
        norm = layer_norm(norm_eps, bias=False)
        self.encoder = trunk(dim, depth, heads, mlp_ratio, norm, qkv_bias, proj_bias, gated)
        self.encoder_norm = norm(dim)
        self.tokenizers = nn.ModuleDict()  # filled where a modality is read through a tokenizer

    def tokens_in(self, inputs: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, list[int]]:
        """Tokens that enter the first block, modalities in the order given.

        Args:
            inputs: modality -> standardised pixels (B, C, H, W), token ids (B, h, w), or sequence ids (B, n).

        Returns:
            (B, N, D) and the number of tokens of each *image* modality; sequences come last, uncounted.
        """
        ordered = sorted(
            inputs, key=lambda name: isinstance(self.encoder_embeddings[name], SequenceEmbedding)
        )
        parts = [self.encoder_embeddings[name](inputs[name]) for name in ordered]
        counts = [
            part.shape[1]
            for name, part in zip(ordered, parts, strict=True)
            if not isinstance(self.encoder_embeddings[name], SequenceEmbedding)
        ]
        # Patches come as a transposed view; blocks would copy it again and again.
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0].contiguous(), counts

    def grid_of(self, inputs: Mapping[str, torch.Tensor]) -> tuple[int, int]:
        """(h, w) that all image modalities share.

        Raises:
            BackboneError: they do not share one.
        """
        grids = set()
        for name, values in inputs.items():
            match MODALITIES[name].kind:
                case "pixels":
                    grids.add((values.shape[-2] // self.patch_px, values.shape[-1] // self.patch_px))
                case "token image":
                    grids.add((values.shape[-2], values.shape[-1]))
        if len(grids) != 1:
            raise BackboneError(
                f"The modalities have different grids of patches: {sorted(grids)}. Bring them onto one grid."
            )
        height, width = grids.pop()
        return height, width

    def forward(self, inputs: Mapping[str, torch.Tensor], layers: Collection[int]) -> dict[int, torch.Tensor]:
        """Layer -> (B, N, D); see `tokens_in`."""
        return through(self.encoder, self.encoder_norm, self.tokens_in(inputs)[0], layers)


def merged(tokens: torch.Tensor, counts: Sequence[int], how: str) -> torch.Tensor:
    """(B, N, D) tokens of several image modalities as one token a patch: mean, max or concat over modalities.

    Raises:
        BackboneError: the modalities lie on different grids, or the way is unknown.
    """
    if len(set(counts)) != 1:
        raise BackboneError(
            f"The modalities have different numbers of tokens: {list(counts)}. Bring them onto one grid."
        )
    if len(counts) == 1:
        return tokens[:, : counts[0]]
    images = tokens[:, : sum(counts)]
    stack = torch.stack(images.chunk(len(counts), dim=1))  # (M, B, h*w, D)
    match how:
        case "mean":
            return stack.mean(dim=0)
        case "max":
            return stack.amax(dim=0)
        case "concat":
            return torch.cat(list(stack), dim=-1)
    raise BackboneError(f"{how!r} is no way to merge modalities. Choose mean, max or concat.")


def encoder(spec: BackboneSpec) -> TerraMindEncoder:
    """The encoder of a card for its modalities, untrained; works on the meta device.

    The card's configuration may hold "modality_bands": the channels that inputs bring, in order, by name;
    modalities that are absent there bring all of theirs.

    Raises:
        BackboneError: a modality that does not exist.
        MissingBand: a band that a modality does not have.
    """
    config = spec.config
    patch, dim = argument(config, "patch_size", int), argument(config, "embed_dim", int)
    side = argument(config, "img_size", int) // patch
    names, bands = modality_names(spec), modality_bands(spec)
    for name in names:
        if name not in MODALITIES:
            raise BackboneError(
                f"{name!r} is no modality of TerraMind{nearest(name, MODALITIES)}. Choose among {', '.join(MODALITIES)}."
            )
    native = NativeGrid(side, side)
    return TerraMindEncoder(
        {name: make_embedding(name, spec, patch, dim, native, bands.get(name)) for name in names},
        patch_px=patch,
        dim=dim,
        depth=argument(config, "depth", int),
        heads=argument(config, "num_heads", int),
        mlp_ratio=argument(config, "mlp_ratio", float, 4.0),
        norm_eps=argument(config, "norm_eps", float, 1e-6),
        qkv_bias=argument(config, "qkv_bias", bool),
        proj_bias=argument(config, "proj_bias", bool),
        gated=argument(config, "gated_mlp", bool),
    )


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder's part of a released TerraMind checkpoint, with the embeddings of the modalities that are used.

    Raises:
        WeightsError: keys are missing, unknown or of another shape, or a norm has a bias.
    """
    expected = meta_state(lambda: encoder(spec))
    names = {MODALITIES[name].key: name for name in modality_names(spec)}
    _refuse_norm_biases(state, spec)
    gated = argument(spec.config, "gated_mlp", bool)

    def rename(key: str) -> str | None:
        if key.startswith("decoder") or key in {"mask_token", "missing_mod_token"}:
            return None
        if re.fullmatch(r"encoder(\.\d+\.norm[12]|_norm)\.bias", key):
            return None
        embedding = re.fullmatch(r"encoder_embeddings\.([^.]+)\.(.+)", key)
        if embedding:
            name = names.get(embedding[1])
            return None if name is None else f"encoder_embeddings.{name}.{embedding[2]}"
        if gated:
            for old, new in ((".mlp.fc1.", ".mlp.fc1_g."), (".mlp.fc3.", ".mlp.fc1_x.")):
                key = key.replace(old, new)
        return key

    found = renamed(state, rename)
    patch = argument(spec.config, "patch_size", int)
    for key in [
        key for key in found if key.endswith(".proj.weight") and key.startswith("encoder_embeddings.")
    ]:
        found[key] = _as_convolution(found[key], patch)
    require_same_tensors(spec.name, expected, found)
    return found


def default_positions(spec: BackboneSpec) -> torch.Tensor:
    """(1, h*w, D): the fixed table that the released files store for every image modality."""
    side = argument(spec.config, "img_size", int) // argument(spec.config, "patch_size", int)
    return transposed_table(argument(spec.config, "embed_dim", int), side, side)[None]


def _as_convolution(weight: torch.Tensor, patch: int) -> torch.Tensor:
    """(D, p*p*C), columns in order (row, column, channel), as a kernel (D, C, p, p)."""
    if weight.ndim != 2 or weight.shape[1] % (patch * patch):
        return weight
    return weight.reshape(len(weight), patch, patch, -1).permute(0, 3, 1, 2).contiguous()


def _refuse_norm_biases(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> None:
    """The norms have no bias; files hold zero buffers instead, and anything else is another model."""
    for key, tensor in state.items():
        is_bias = re.fullmatch(r"encoder(\.\d+\.norm[12]|_norm)\.bias", key)
        if is_bias and not tensor.is_meta and bool(tensor.any()):
            raise WeightsError(
                f"{key} of the checkpoint is not zero, and the norms of {spec.name} have no bias. Choose TerraMind's own file."
            )
