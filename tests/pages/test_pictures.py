"""Pictures of the pages, for those who cannot see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engine.paths import PROJECT


def _pictures_without_words() -> Iterator[str]:
    for file in sorted((PROJECT / "pages").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_picture = (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "image"
            )
            if is_picture and "alt" not in {keyword.arg for keyword in call.keywords}:
                yield f"{file.relative_to(PROJECT)}:{call.lineno}"


def test_every_picture_of_a_page_is_told_in_words() -> None:
    assert list(_pictures_without_words()) == []
