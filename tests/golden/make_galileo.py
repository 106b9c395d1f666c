"""Makes the golden cases of Galileo in `open/` with the authors' code, at reduced size and with random weights.

    python -m tests.golden.make_galileo FOLDER

FOLDER holds `single_file_galileo.py` of nasaharvest/galileo, which needs einops. The cases cover what the released weights
are used for here: radar, optical groups, NDVI, elevation, location, several dates, and patches that are resized.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from tests.golden.deterministic_fill import normal_numbers, weight

OPEN = Path(__file__).parent / "open"
SIZE = {
    "embedding_size": 32,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 4,
    "max_sequence_length": 24,
    "max_patch_size": 8,
}
CASES: dict[str, dict[str, Any]] = {
    "galileo_a_s1_s2_srtm_location": {
        "patch_size_px": 4, "input_resolution_m": 20, "chips": 2, "side_px": 12, "months": [[0, 6], [11, 3]],
        "groups_seen": {"space_time": ["S1", "S2_RGB", "S2_NIR_10m", "NDVI"], "space": ["SRTM"], "static": ["location"]},
    },
    "galileo_b_hls6_p3": {
        "patch_size_px": 3, "input_resolution_m": 30, "chips": 1, "side_px": 12, "months": [[8]],
        "groups_seen": {"space_time": ["S2_RGB", "S2_NIR_20m", "S2_SWIR"]},
    },
}  # fmt: skip
SPREADS = {"VV": 5, "VH": 5, "NDVI": 0.3, "elevation": 400, "slope": 5}
LEVELS = {"VV": -12, "VH": -19, "NDVI": 0.4, "elevation": 600, "slope": 6}


def main(folder: str) -> None:
    """Write json, npz and safetensors of every case."""
    sys.path.insert(0, folder)
    reference = importlib.import_module("single_file_galileo")
    for name, case in CASES.items():
        encoder = reference.Encoder(**SIZE).eval()
        state = {key: _stored(name, key, tensor) for key, tensor in encoder.state_dict().items()}
        encoder.load_state_dict(state)
        save_file({key: _half(tensor) for key, tensor in state.items()}, OPEN / f"{name}.safetensors")
        inputs = _inputs(name, case, reference)
        outputs = _outputs(encoder, case, inputs, reference)
        np.savez_compressed(
            OPEN / f"{name}.npz", **inputs, **{key: value.numpy() for key, value in outputs.items()}
        )
        facts = {
            "family": "galileo", "case": name, **{key: case[key] for key in case if key not in ("chips", "side_px", "months")},
            "model": {"embed_dim": 32, "depth": 2, "num_heads": 2, "mlp_ratio": 4.0, "max_sequence_length": 24},
            "space_time_bands": reference.SPACE_TIME_BANDS, "space_bands": reference.SPACE_BANDS,
            "static_bands": reference.STATIC_BANDS, "reference": "nasaharvest/galileo, single_file_galileo.py",
        }  # fmt: skip
        (OPEN / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")


def _stored(case: str, key: str, tensor: torch.Tensor) -> torch.Tensor:
    """The tables as they are, everything else random and exact in float16."""
    if key in ("pos_embed", "month_embed.weight"):
        return tensor.clone()
    return weight(f"{case}:{key}", tensor.shape).half().float()


def _half(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half() if torch.equal(tensor.half().float(), tensor) else tensor


def _inputs(name: str, case: dict[str, Any], reference: Any) -> dict[str, np.ndarray[Any, Any]]:
    chips, side, months = case["chips"], case["side_px"], np.array(case["months"])
    shape = (chips, side, side, months.shape[1])
    located = torch.nn.functional.normalize(normal_numbers(f"{name}:location", (chips, 3)), dim=1)
    static = torch.zeros(chips, len(reference.STATIC_BANDS))
    static[:, 1:4] = located
    return {
        "in_space_time_raw": _raw(f"{name}:space_time", shape, reference.SPACE_TIME_BANDS),
        "in_space_raw": _raw(f"{name}:space", shape[:3], reference.SPACE_BANDS),
        "in_static_raw": static.numpy(),
        "in_months": months,
    }


def _raw(name: str, shape: tuple[int, ...], bands: list[str]) -> np.ndarray[Any, Any]:
    numbers = normal_numbers(name, (*shape, len(bands))).numpy()
    spread = np.array([SPREADS.get(band, 900) for band in bands], np.float32)
    level = np.array([LEVELS.get(band, 1500) for band in bands], np.float32)
    return numbers * spread + level


def _standardised(raw: np.ndarray[Any, Any], bands: list[str]) -> torch.Tensor:
    """As the authors' Normalizer does with their normalization.json; only the bands that a case shows are true."""
    from engine.backbones.galileo.golden import CHANNELS
    from engine.backbones.galileo.groups import shift_and_spread

    pairs = [shift_and_spread(CHANNELS[band]) if band in CHANNELS else (0.0, 1.0) for band in bands]
    shift, spread = (np.array(column) for column in zip(*pairs, strict=True))
    return torch.from_numpy(((raw - shift) / spread).astype(np.float32))


def _mask(known: dict[str, list[int]], seen: list[str]) -> torch.Tensor:
    return torch.tensor([0.0 if name in seen else 1.0 for name in known])


def _outputs(
    encoder: Any, case: dict[str, Any], inputs: dict[str, np.ndarray[Any, Any]], reference: Any
) -> dict[str, torch.Tensor]:
    seen, patch = case["groups_seen"], case["patch_size_px"]
    chips, side, _, dates, _ = inputs["in_space_time_raw"].shape
    masks = [
        _mask(reference.SPACE_TIME_BANDS_GROUPS_IDX, seen["space_time"]).expand(chips, side, side, dates, -1),
        _mask(reference.SPACE_BAND_GROUPS_IDX, seen.get("space", [])).expand(chips, side, side, -1),
        _mask(reference.TIME_BAND_GROUPS_IDX, []).expand(chips, dates, -1),
        _mask(reference.STATIC_BAND_GROUPS_IDX, seen.get("static", [])).expand(chips, -1),
    ]
    values = [
        _standardised(inputs["in_space_time_raw"], reference.SPACE_TIME_BANDS),
        _standardised(inputs["in_space_raw"], reference.SPACE_BANDS),
        torch.zeros(chips, dates, len(reference.TIME_BANDS)),
        torch.from_numpy(inputs["in_static_raw"]),
    ]
    with torch.no_grad():
        found = encoder(
            *values, *masks, torch.from_numpy(inputs["in_months"]), patch_size=patch,
            input_resolution_m=case["input_resolution_m"],
        )  # fmt: skip
    space_time = found[0][..., masks[0][0, 0, 0, 0] == 0, :]  # (B, h, w, T, groups, D)
    space, static = found[1][..., masks[1][0, 0, 0] == 0, :], found[3][:, masks[3][0] == 0]
    everywhere = static[:, None, None].expand(*space.shape[:3], -1, -1)
    tokens = torch.cat([space_time.flatten(3, 4), space, everywhere], dim=3)
    outputs = {"out_tokens_space_time": space_time, "out_patch_mean": tokens.mean(dim=3)}
    if seen.get("space"):
        outputs |= {"out_tokens_space": space, "out_tokens_static": static}
    return outputs


if __name__ == "__main__":
    main(sys.argv[1])
