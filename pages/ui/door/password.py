"""The password of a workshop: compared in constant time, tried a few times a minute, remembered by a signed cookie."""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict, deque

from pages.ui.door.secret import sign

VARIABLE = "EMBERSCOPE_PASSWORD"
DAYS = 7
# Wrong tries of one address, and of all together, within a minute. A room shares no address, a proxy's guests do.
_TRIES, _TRIES_OF_ALL, _WITHIN_S = 6, 120, 60.0
_MOST_ADDRESSES = 4096
_MOST_ENDED = 4096

_wrong: OrderedDict[str, deque[float]] = OrderedDict()
_ended: OrderedDict[str, None] = OrderedDict()
_lock = threading.Lock()


def is_asked() -> bool:
    """Whether the server has a password."""
    return bool(_password())


def is_right(tried: str) -> bool:
    """Whether it is the password; the time that it takes tells nothing."""
    return is_asked() and hmac.compare_digest(tried.strip().encode(), _password().encode())


def waits_s(address: str) -> float:
    """Seconds until an address may try again; 0 when it may now."""
    now = time.monotonic()
    with _lock:
        return max(
            _waits(_wrong.get(address, deque()), _TRIES, now),
            _waits(_wrong.get("", deque()), _TRIES_OF_ALL, now),
        )


def note_wrong(address: str) -> None:
    """Count a wrong try of an address."""
    with _lock:
        for key, most in ((address, _TRIES), ("", _TRIES_OF_ALL)):
            _wrong.setdefault(key, deque(maxlen=most)).append(time.monotonic())
            _wrong.move_to_end(key)
        while len(_wrong) > _MOST_ADDRESSES:
            _wrong.popitem(last=False)


def new_session() -> str:
    """What the cookie of a person who knew the password holds."""
    until, chance = int(time.time()) + DAYS * 86_400, secrets.token_hex(8)
    return f"{until}.{chance}.{_signature(until, chance)}"


def is_session(cookie: str) -> bool:
    """Whether a cookie is one of ours, has not run out, and is of today's password."""
    until, _, rest = cookie.partition(".")
    chance, _, signature = rest.partition(".")
    with _lock:
        if cookie in _ended:
            return False
    if not until.isascii() or not until.isdecimal() or len(until) > 12 or int(until) < time.time():
        return False
    return hmac.compare_digest(signature.encode(), _signature(int(until), chance).encode())


def end_session(cookie: str) -> None:
    """Somebody has signed out: what their cookie holds is worth nothing any more, also where it was copied."""
    if not is_session(cookie):
        return
    with _lock:
        _ended[cookie] = None
        while len(_ended) > _MOST_ENDED:
            _ended.popitem(last=False)


def _signature(until: int, chance: str) -> str:
    return sign("session", f"{until}.{chance}.{_password()}")


def _waits(tries: deque[float], most: int, now: float) -> float:
    return _WITHIN_S - (now - tries[-most]) if len(tries) >= most and now - tries[-most] < _WITHIN_S else 0.0


def _password() -> str:
    return os.environ.get(VARIABLE, "").strip()
