"""The embedded encoder against the graph that it comes from, run by another engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import choose
from engine.backbones.csmask.encoder import encoder, official_to_encoder
from engine.backbones.weights.checkpoint import open_state
from engine.errors import BackboneError, MissingBand, WeightsError

LEVELS = ("l1c", "l2a")
FLOAT32 = choose("cpu", torch.float32)
# The graph's tensors at the end of each stage of stride 2, 4, 8, 16 and 32 (last block of each).
STAGE_TENSORS = [f"/model/encoder/_blocks.{block}/Add_output_0" for block in (1, 5, 9, 21, 31)]


def package() -> Path:
    found = find_spec("ukis_csmask")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def graph_features(path: Path, image: np.ndarray, widen: bool) -> list[np.ndarray]:
    """What the published graph computes; `widen` lifts its half precision to float32."""
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in ((2, "h"), (3, "w")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    del model.graph.value_info[:]
    if widen:
        widen_to_float32(model)
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in STAGE_TENSORS)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(STAGE_TENSORS, {session.get_inputs()[0].name: image})


def widen_to_float32(model: onnx.ModelProto) -> None:
    constants = [a.t for node in model.graph.node if node.op_type == "Constant" for a in node.attribute]
    for tensor in (*model.graph.initializer, *constants):
        if tensor.data_type == onnx.TensorProto.FLOAT16:
            wide = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    for node in model.graph.node:
        if node.op_type == "Cast" and node.attribute[0].i == onnx.TensorProto.FLOAT16:
            node.attribute[0].i = onnx.TensorProto.FLOAT


def package_statistics(level: str) -> list[np.ndarray]:
    facts = json.loads((package() / f"model_6b_{level}.json").read_text())
    return [np.array(row, np.float32).reshape(-1, 1, 1) for row in facts["data"]["dataset_statistics"]["img"]]


def correlations(level: str, batch: Batch, widen: bool) -> list[float]:
    """Of our features with the graph's, stage by stage."""
    mean, std = package_statistics(level)
    image = (batch.image[:, 0].numpy() - mean) / std
    theirs = graph_features(package() / f"model_6b_{level}.onnx", image, widen)
    ours = build(card(f"csmask_b4_{level}"), "pretrained", FLOAT32).embed(batch, range(5)).maps
    pairs = [
        (their_map.transpose(0, 2, 3, 1), our_map.numpy())
        for their_map, our_map in zip(theirs, ours, strict=True)
    ]
    assert all(their_map.shape == our_map.shape for their_map, our_map in pairs)
    return [float(np.corrcoef(their_map.ravel(), our_map.ravel())[0, 1]) for their_map, our_map in pairs]


@pytest.mark.parametrize("level", LEVELS)
def test_features_on_a_real_scene_equal_those_of_the_published_graph(level: str, virginia: Batch) -> None:
    assert min(correlations(level, virginia, widen=False)) >= 0.9999


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [(256, 256), (64, 96)])
def test_without_the_graphs_half_precision_even_noise_gives_the_same_features(
    level: str, size: tuple[int, int], make_batch: Callable[..., Batch]
) -> None:
    assert min(correlations(level, make_batch(1, *size), widen=True)) >= 0.9999999


@pytest.mark.parametrize("level", LEVELS)
def test_card_states_the_bands_and_statistics_of_the_package(level: str) -> None:
    spec = card(f"csmask_b4_{level}")
    facts = json.loads((package() / f"model_6b_{level}.json").read_text())["data"]
    assert [list(spec.normalisation.mean), list(spec.normalisation.std)] == facts["dataset_statistics"]["img"]
    ours = {"nir_narrow": "nir", "swir_1": "swir16", "swir_2": "swir22"}
    assert [ours.get(band, band) for band in spec.bands] == facts["dataset_statistics"]["band_names"]
    assert spec.chip_px == facts["target_size"][0]


def test_all_603_encoder_tensors_are_used_and_none_is_made_up() -> None:
    spec = card("csmask_b4_l1c")
    state = open_state(package() / "model_6b_l1c.onnx")
    mapped = official_to_encoder(state, spec)
    used = [key for key in mapped if not key.endswith("num_batches_tracked")]
    assert len(used) == sum(key.startswith("model.encoder.") for key in state) == 603
    encoder(spec).load_state_dict(mapped, strict=True)


def test_a_checkpoint_lacking_a_tensor_is_refused_with_its_name() -> None:
    spec = card("csmask_b4_l1c")
    state = open_state(package() / "model_6b_l1c.onnx")
    del state["model.encoder._blocks.6._bn0.weight"]
    with pytest.raises(WeightsError, match=r"lacks 1 \(blocks\.2\.0\.bn1\.weight\)"):
        official_to_encoder(state, spec)


def test_a_shallow_layer_does_not_run_the_deep_stages(make_batch: Callable[..., Batch]) -> None:
    spec = card("csmask_b4_l1c")
    torch.manual_seed(0)
    from engine.backbones.csmask.encoder import wrap

    module = encoder(spec)
    ran: list[int] = []
    for index, stage in enumerate(module.blocks):
        stage.register_forward_hook(lambda *_, index=index: ran.append(index))
    wrap(spec, module, "random", {}).embed(make_batch(1, 64, 64), [1])
    assert ran == [0, 1]


def test_what_lies_in_a_gap_changes_nothing(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("csmask_b4_l1c"), "pretrained", FLOAT32)
    batch = make_batch(1, 64, 64)
    batch.valid[0, 0, 10:20, 10:20] = False
    before = backbone.embed(batch, [2]).maps[0]
    batch.image[0, 0, :, 10:20, 10:20] = float("nan")
    after = backbone.embed(batch, [2]).maps[0]
    assert torch.equal(before, after) and bool(torch.isfinite(after).all())


def test_bands_are_taken_by_name_whatever_their_order(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("csmask_b4_l1c"), "pretrained", FLOAT32)
    batch = make_batch(1, 64, 64)
    turned = make_batch(1, 64, 64, bands=tuple(reversed(batch.bands)))
    turned.image[:] = batch.image.flip(2)
    assert torch.equal(backbone.embed(batch, [1]).maps[0], backbone.embed(turned, [1]).maps[0])


def test_a_scene_without_a_needed_band_is_refused_by_name(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("csmask_b4_l1c"), "random", FLOAT32)
    with pytest.raises(MissingBand, match="csmask_b4_l1c needs band 'swir_2'"):
        backbone.embed(make_batch(1, 64, 64, bands=("blue", "green", "red", "nir_narrow", "swir_1")), [1])


@pytest.mark.parametrize(
    ("size", "layer", "message"), [(100, 4, "multiples of 32 px"), (64, 5, "layers 0 to 4")]
)
def test_a_size_or_layer_that_cannot_be_is_refused(
    size: int, layer: int, message: str, make_batch: Callable[..., Batch]
) -> None:
    backbone = build(card("csmask_b4_l1c"), "random", FLOAT32)
    with pytest.raises(BackboneError, match=message):
        backbone.embed(make_batch(1, size, size), [layer])
