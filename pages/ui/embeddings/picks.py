"""What a person picked on the map: told by the map, kept in the address, so that a link opens the same."""

from __future__ import annotations

import re

import streamlit as st

from pages.ui.map import lens
from pages.ui.map.lens import Picked
from pages.ui.state import address

_PATCH, _THRESHOLD = "patch", "threshold"
_NUMBER = re.compile(r"[+-]?\d{1,9}")
_MOST = 400


def picked(map_key: str, of: str) -> Picked:
    """What was picked last; on a first visit, what the address says.

    Args:
        map_key: of the map; another one is of another store.
        of: layer and view: thresholds and patches of one mean nothing to another.
    """
    told = lens.picked(map_key, of)
    key = f"{map_key}/{of}"
    if told is not None:
        st.session_state[key] = told
    elif key not in st.session_state:
        is_first = not any(str(one).startswith("embeddings_") and "/" in str(one) for one in st.session_state)
        st.session_state[key] = _of_address() if is_first else Picked()
    found = st.session_state[key]
    assert isinstance(found, Picked)
    _into_address(found)
    return found


def _of_address() -> Picked:
    numbers = [int(one) for one in (address.read(_PATCH) or "").split(",") if _NUMBER.fullmatch(one)][:_MOST]
    positive = tuple(one for one in numbers if one >= 0)
    # Patch 0 cannot be negative as a number: those to be unlike count from -1.
    return Picked(positive, tuple(-one - 1 for one in numbers if one < 0), _threshold())


def _threshold() -> float | None:
    try:
        return float(address.read(_THRESHOLD) or "")
    except ValueError:
        return None


def _into_address(found: Picked) -> None:
    numbers = [*map(str, found.positive), *(str(-one - 1) for one in found.negative)]
    address.write(_PATCH, ",".join(numbers) or None)
    address.write(_THRESHOLD, None if found.threshold is None else f"{found.threshold:.4g}")
