"""What a person picked on the map: told by the map, kept in the address, so that a link opens the same."""

from __future__ import annotations

import math
import re

import streamlit as st

from pages.ui.map import lens
from pages.ui.map.lens import Picked
from pages.ui.state import address, bound

_PATCH, _THRESHOLD = "patch", "threshold"
_NUMBER = re.compile(r"[+-]?\d{1,9}")
_MOST = 400


def picked(map_key: str, of: str, is_cosine: bool, rows: int) -> Picked:
    """What was picked last; on a first visit, what the address says.

    Args:
        map_key: of the map; another one is of another store.
        of: layer and view: thresholds and patches of one mean nothing to another.
        is_cosine: the view shows cosines, so that a threshold lies from -1 to 1.
        rows: that the store has.
    """
    told = lens.picked(map_key, of)
    key = f"{map_key}/{of}"
    if told is not None:
        st.session_state[key] = told
        bound.settle(_PATCH)
        bound.settle(_THRESHOLD)
    elif key not in st.session_state:
        is_first = not any(str(one).startswith("embeddings_") and "/" in str(one) for one in st.session_state)
        st.session_state[key] = _of_address(is_cosine, rows) if is_first else Picked()
    found = st.session_state[key]
    assert isinstance(found, Picked)
    _into_address(found)
    return found


def _of_address(is_cosine: bool, rows: int) -> Picked:
    words = [one for one in (address.read(_PATCH) or "").split(",") if one][:_MOST]
    good = [one for one in words if _NUMBER.fullmatch(one) and -rows <= int(one) < rows]
    for word in [one for one in words if one not in good][:1]:
        bound.refuse(_PATCH, word)
    numbers = [int(one) for one in good]
    positive = tuple(one for one in numbers if one >= 0)
    # Patch 0 cannot be negative as a number: those to be unlike count from -1.
    return Picked(positive, tuple(-one - 1 for one in numbers if one < 0), _threshold(is_cosine))


def _threshold(is_cosine: bool) -> float | None:
    asked = address.read(_THRESHOLD)
    try:
        found = float(asked or "")
    except ValueError:
        found = math.nan
    if math.isfinite(found) and (abs(found) <= 1 or not is_cosine):
        return found
    if asked:
        bound.refuse(_THRESHOLD, asked)
    return None


def _into_address(found: Picked) -> None:
    numbers = [*map(str, found.positive), *(str(-one - 1) for one in found.negative)]
    address.write(_PATCH, ",".join(numbers) or None)
    address.write(_THRESHOLD, None if found.threshold is None else f"{found.threshold:.4g}")
