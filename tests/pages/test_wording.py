"""Numbers as pages write them."""

from __future__ import annotations

import pytest

from pages.ui.look import wording


@pytest.mark.parametrize(
    ("megabytes", "words"),
    [(0, "0 MB"), (1e-6, "1 kB"), (0.0042, "4 kB"), (0.0996, "100 kB"), (0.21, "0.2 MB"), (38.4, "38 MB"), (1400, "1.4 GB")],
)  # fmt: skip
def test_a_size_is_never_told_as_nothing_where_there_is_something(megabytes: float, words: str) -> None:
    assert wording.megabytes(megabytes) == words
