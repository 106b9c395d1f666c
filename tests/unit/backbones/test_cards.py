"""The table: every card says what a person must know, and a configuration settles what is open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.backbones.cards import CARDS, DEFAULT_BACKBONE, card, missing_bands, resolve
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError

ALL = pytest.mark.parametrize("spec", CARDS.values(), ids=lambda spec: spec.name)


@ALL
def test_a_card_without_licence_or_source_does_not_enter_the_table(spec: BackboneSpec) -> None:
    assert spec.licence and spec.title and spec.summary and spec.normalisation.source
    if spec.weights.is_published:
        assert spec.licence_url.startswith("https://") and spec.weights.page.startswith("https://")
        assert spec.citation.startswith("@") and spec.parameters > 0


@ALL
def test_a_card_agrees_with_itself(spec: BackboneSpec) -> None:
    assert CARDS[spec.name] is spec
    for layer in spec.default_layers:
        assert spec.stride_px(layer) > 0
    if spec.layer_strides:
        assert (
            len(spec.layer_strides) == len(spec.layer_dims) == spec.depth and spec.layer_dims[-1] == spec.dim
        )
        assert spec.chip_px % max(spec.layer_strides) == 0
    else:
        assert spec.chip_px % spec.patch_px == 0
    # a modality that is used or ignored says what it means by its name and its two choices
    open_ones = {key for key, choices in spec.settings.items() if set(choices) != {"use", "ignore"}}
    assert open_ones <= set(spec.conventions), "a setting without a word on what it means"
    assert spec.settings == {} or settle(spec, {}) == {
        key: values[0] for key, values in spec.settings.items()
    }


def test_the_default_backbone_is_embedded() -> None:
    assert card(DEFAULT_BACKBONE).weights.kind == "package"


def test_a_misspelt_name_names_the_nearest() -> None:
    with pytest.raises(BackboneError, match=r"did you mean 'csmask_b4_l1c'"):
        card("csmask_b4_l1")


def test_what_a_scene_lacks_is_listed_in_the_models_order() -> None:
    assert missing_bands(card("csmask_b4_l2a"), ("red", "green", "blue")) == [
        "nir_narrow",
        "swir_1",
        "swir_2",
    ]
    assert missing_bands(card("efficientnet_lite0"), ("red", "green", "blue")) == []
    assert missing_bands(card("raw"), ("thermal",)) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rgb_whte": "0.3"}, r"did you mean 'rgb_white'"),
        ({"rgb_white": "7"}, r"does not offer '7' .* one of 0\.3, 0\.2, "),
    ],
)
def test_a_setting_that_is_not_offered_is_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(BackboneError, match=words):
        settle(card("efficientnet_lite0"), settings)


def test_raw_pixels_take_their_width_from_patch_and_bands() -> None:
    spec = resolve(card("raw"), {"patch_px": "8"}, ("red", "swir_2"))
    assert (spec.patch_px, spec.dim, spec.bands) == (8, 128, ("red", "swir_2"))


def test_the_card_of_a_timm_model_is_the_same_with_and_without_torch_in_the_process() -> None:
    here = card("timm/resnet18")
    program = (
        "import sys; from engine.backbones.cards import card; spec = card('timm/resnet18'); "
        "sys.stdout.write(repr((spec.layer_dims, spec.parameters, spec.licence, spec.normalisation.mean)))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == repr((here.layer_dims, here.parameters, here.licence, here.normalisation.mean))


@ALL
def test_a_card_states_the_level_of_its_training_scenes_with_a_source(spec: BackboneSpec) -> None:
    assert (spec.level is not None) == ("level" in spec.conventions)
    is_of_photographs = "rgb_white" in spec.settings and not spec.modalities
    assert (spec.level is None) == (is_of_photographs or not spec.weights.is_published)


@pytest.mark.parametrize(("name", "settings", "level"), [
    ("terramind_v1_base", {}, "surface"),
    ("terramind_v1_base", {"s2l2a": "ignore", "s2l1c": "use"}, "top of atmosphere"),
    ("terramind_v1_base", {"s2l1c": "use"}, "either"),
    ("terramind_v1_base", {"s1grd": "use"}, "surface"),
    ("terramind_v1_base", {"s2l2a": "ignore", "s1rtc": "use", "dem": "use"}, None),
    ("clay_v1_base", {"statistics": "landsat-c2l1"}, "top of atmosphere"),
    ("clay_v1_base", {"statistics": "naip"}, None),
    ("csmask_b4_l1c", {}, "top of atmosphere"),
    ("prithvi_eo_v2_300", {}, "surface"),
    ("dofa_base", {}, "either"),
])  # fmt: skip
def test_settings_decide_the_level_where_a_model_knows_several(
    name: str, settings: dict[str, str], level: str | None
) -> None:
    assert resolve(card(name), settings, None).level == level
