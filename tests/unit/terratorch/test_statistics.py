"""A file's means and deviations: the model's own give no warning in any unit, others give one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.backbones.cards import CARDS
from engine.backbones.clay.sensors import OPTICAL
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.terramind.modalities import MODALITIES
from engine.terratorch.generation import Translation, translate
from engine.terratorch.statistics import compare
from tests.unit.terratorch.files import SIX, present

UNITS = (1.0, 100.0, 255.0, 1e4)
# The tutorial of TerraTorch 1.2 on embeddings of HLS Burn Scars with TerraMind.
TUTORIAL = {
    "means": [0.1503, 0.1718, 0.1853, 0.3132, 0.2424, 0.1857],
    "stds": [0.2141, 0.2038, 0.2134, 0.1753, 0.1434, 0.1334],
}


@dataclass(frozen=True)
class Published:
    """What a model's authors publish: numbers of bands in their own unit, and what 1 is in that unit."""

    spec: BackboneSpec
    bands: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    offset: float = 0.0
    modality: str = ""

    def file(self, factor: float, mean_by: float = 1.0, std_by: float = 1.0) -> dict[str, list[float]]:
        """A file's keys, with numbers times a factor."""
        return {
            "means": [(m - self.offset) * factor / self.scale * mean_by for m in self.mean],
            "stds": [s * factor / self.scale * std_by for s in self.std],
        }


def published() -> Iterator[Published]:
    for spec in CARDS.values():
        norm = spec.normalisation
        for name in spec.modalities:
            modality = MODALITIES[name]
            scale = 1e4 if name.startswith("S2") else 255.0 if name == "RGB" else 1.0
            if modality.mean:
                yield Published(spec, modality.bands, modality.mean, modality.std, scale, modality=name)
        if not spec.modalities and norm.mean:
            yield Published(spec, spec.bands, norm.mean, norm.std, norm.scale)


ALL = pytest.mark.parametrize(
    "own", list(published()), ids=lambda own: f"{own.spec.name}{own.modality and '-'}{own.modality}"
)


def read(own: Published, numbers: dict[str, list[float]]) -> Translation:
    model_args: dict[str, Any] = {
        "backbone": own.spec.name,
        "backbone_bands": [band.upper() for band in own.bands],
    }
    if own.modality:
        model_args["backbone_modalities"] = [own.modality]
    return translate(present(dict(numbers), model_args=model_args, layers=[-1], has_cls=...), "file.yaml")


@ALL
@pytest.mark.parametrize("unit", UNITS)
def test_the_models_own_numbers_give_no_warning_in_any_unit(own: Published, unit: float) -> None:
    found = read(own, own.file(unit))
    assert found.warnings == ()
    assert [line.verdict for line in found.lines if line.key.endswith(("means", "stds"))] == ["read as"] * 2


@ALL
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("mean_by", "std_by"), [(1.1, 1.0), (0.9, 1.0), (1.0, 1.1), (1.0, 0.9), (1.1, 1.1)])
def test_numbers_a_tenth_off_give_one_warning(
    own: Published, unit: float, mean_by: float, std_by: float
) -> None:
    assert len(read(own, own.file(unit, mean_by, std_by)).warnings) == 1


@ALL
def test_one_band_a_tenth_off_is_the_one_that_is_named(own: Published) -> None:
    numbers = own.file(1.0)
    numbers["means"][-1] *= 1.1
    (warning,) = read(own, numbers).warnings if len(own.bands) > 2 else ("",)
    assert all(f"{band} " not in warning.split(": ")[-1] for band in own.bands[:-1])


@pytest.mark.parametrize(("white", "unit"), [(0.3, 1.0), (0.3, 255.0)])
def test_colours_and_the_reflectance_that_they_come_from_are_both_the_models_own(
    white: float, unit: float
) -> None:
    own = next(own for own in published() if own.modality == "RGB")
    colours = read(own, own.file(unit))
    reflectance = read(own, own.file(unit * white))
    assert colours.warnings == reflectance.warnings == ()
    scales = [found.config.scene.model_dump().get("scale") or 1.0 for found in (colours, reflectance)]
    assert scales == [pytest.approx(white / unit), pytest.approx(1 / unit)]


@pytest.mark.parametrize("modalities", [["S2L2A"], ...])
def test_the_numbers_of_terratorchs_own_tutorial_are_terraminds(modalities: Any) -> None:
    model_args = {"backbone": "terramind_v1_base", "backbone_bands": SIX}
    if modalities is not ...:
        model_args |= {"backbone_modalities": modalities, "backbone_bands": {"S2L2A": SIX}}
    found = translate(present(dict(TUTORIAL), model_args=model_args, has_cls=False), "tutorial.yaml")
    assert found.warnings == ()
    assert found.config.scene.model_dump().get("scale") is None


@pytest.mark.parametrize("sensor", OPTICAL)
@pytest.mark.parametrize("unit", UNITS)
def test_the_numbers_of_each_sensor_that_clay_knows_are_its_own(sensor: str, unit: float) -> None:
    table = OPTICAL[sensor]
    own = Published(CARDS["clay_v1_base"], table.bands, table.mean, table.std, table.scale, table.offset)
    for by in (1.0, 1.1):
        numbers = own.file(unit, by, by)
        found = compare(own.spec, own.bands, numbers["means"], numbers["stds"], {"statistics": sensor})
        assert found is not None
        assert (found.scale, bool(found.differences)) == (unit, by != 1.0)


def test_radar_beside_optical_bands_is_compared_in_its_own_unit() -> None:
    spec = CARDS["clay_v1_5_large"]
    norm = spec.normalisation
    means, stds = (*norm.mean, -12.113, -18.673), (*norm.std, 8.314, 8.017)
    found = compare(spec, (*spec.bands, "vv", "vh"), means, stds)
    assert found is not None
    assert (found.scale, found.unit, found.differences) == (1e4, "reflectance x 10000, decibels", ())
