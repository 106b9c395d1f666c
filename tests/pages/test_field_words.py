"""What a page says of a setting is the name of its field, never a key of a configuration that the page does not show."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from engine.paths import PROJECT
from pages.ui.look.field_words import FIELDS, WITHOUT_FIELD, spoken

_ASKED = re.compile(
    r"(?:[Ss]et|[Mm]end|[Cc]orrect|[Cc]heck|Begin|End|Point|by) "
    r"((?:scene|backbone|tiles|labels|split|output|imagery|perimeters)(?:\.[a-z_]+)+)(?=[ .,:;)])"
)


def test_every_key_that_a_message_asks_to_set_has_a_field_or_is_known_to_have_none() -> None:
    messages = [path for path in (PROJECT / "engine").rglob("*.py") if "commands" not in path.parts]
    lines = [line for path in messages for line in path.read_text().splitlines() if '"' in line]
    keys = {found for line in lines for found in _ASKED.findall(line)}
    assert len(keys) > 10
    assert sorted(keys - FIELDS.keys() - WITHOUT_FIELD) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Set scene.sensor to the right one.", "Set “Sensor” to the right one."),
        ("Set scene.sensor: rgb for a picture, or scene.scale (0.00392 where 255 is 1).", "Choose rgb for “Sensor” for a picture, or “Scale” (0.00392 where 255 is 1)."),
        ("Set scene.offset: -0.1 if so, or 0 if not.", "Choose -0.1 for “Offset” if so, or 0 if not."),
        ("A ground has granularity: tile. Set granularity: patch.", "A ground has “One row for each”: tile. Choose patch for “One row for each”."),
        ("Correct backbone.settings.time.", "Correct “Conventions that the publisher leaves open”."),
        ("Mend scene.path or scene.images.", "Mend “scene.path” in the configuration or “scene.images” in the configuration."),
        ("Its pixels: 3 of 4. The device: cpu12. scenery.sensor", "Its pixels: 3 of 4. The device: cpu12. scenery.sensor"),
        ("assets/scene.tif cannot be read. See scene.tiff.", "assets/scene.tif cannot be read. See scene.tiff."),
    ],
)  # fmt: skip
def test_a_message_names_fields(said: str, told: str) -> None:
    assert spoken(said) == told


def test_an_error_on_a_page_names_fields() -> None:
    def script() -> None:
        from engine.errors import BadInput
        from pages.ui.look import errors

        errors.tell(BadInput("Set scene.sensor: hls, or tiles.size_px."))

    (said,) = [one.value for one in AppTest.from_function(script).run().warning]
    assert "Sensor" in said and "Tile size" in said and "scene" not in said and "tiles" not in said
