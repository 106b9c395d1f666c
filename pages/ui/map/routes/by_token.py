"""Tables of what the server hands to maps by a token: the newest few, for many threads at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TypeVar

_Value = TypeVar("_Value")
_lock = threading.Lock()


def keep(table: OrderedDict[str, _Value], token: str, value: _Value, most: int) -> None:
    """Put a value into a table as its newest; the oldest leave it where it holds more than `most`."""
    with _lock:
        table[token] = value
        table.move_to_end(token)
        while len(table) > most:
            table.popitem(last=False)


def find(table: OrderedDict[str, _Value], token: str) -> _Value:
    """The value of a token.

    Raises:
        LookupError: there is none, or no longer.
    """
    with _lock:
        if token not in table:
            raise LookupError(token)
        return table[token]
