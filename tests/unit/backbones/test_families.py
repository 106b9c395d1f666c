"""A family is a folder with hooks: the table is whole, needs no torch, and nothing outside a folder names a family."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.backbones.cards import CARDS
from engine.backbones.families import FAMILIES, family_of

ROOT = Path(__file__).parents[3]
BACKBONES = ROOT / "engine" / "backbones"
FOLDERS = sorted(path.parent for path in BACKBONES.glob("*/family.py") if path.parent.name != "core")
SOURCES = [
    path
    for folder in ("engine", "pages")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.parent not in FOLDERS
]


def test_every_folder_with_hooks_is_in_the_table_and_nothing_else() -> None:
    adapters = {family.adapter.__module__ for family in FAMILIES.values()}
    assert adapters == {f"engine.backbones.{folder.name}.family" for folder in FOLDERS}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_family_names_its_own_cards_and_is_known_by_its_title(family: object) -> None:
    found = next(known for known in FAMILIES.values() if known is family)
    assert found.title
    assert all(spec.family == found.name and family_of(spec) is found for spec in found.cards)
    assert all(CARDS[spec.name] is spec for spec in found.cards)


def test_nothing_outside_the_folders_asks_which_family_a_backbone_is_of() -> None:
    asking = re.compile(r"\.family\s*(==|!=|not in|in)\s*[\"'(\[{]|match \w+\.family")
    names = re.compile(r"[\"'](" + "|".join(FAMILIES) + r")[\"']")
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if asking.search(line) or ("family" in line and names.search(line))
    ]
    assert not guilty


def test_the_table_of_families_and_all_its_cards_are_read_without_torch() -> None:
    program = (
        "import sys; from engine.backbones.families import FAMILIES; "
        "[family.companions(spec) for family in FAMILIES.values() for spec in family.cards]; "
        "sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
