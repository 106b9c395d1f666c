"""The secret of a server, kept beside its runs: it signs what a browser holds, so that nobody can guess or forge it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

from engine.workspace import runs_root

_FILE = ".secret"
_BYTES = 32
_log = logging.getLogger(__name__)


def token_of(purpose: str, *content: object) -> str:
    """32 hexadecimal digits made of a content, the same for the same content; unguessable even to who knows it all."""
    return sign(purpose, repr(content))[:32]


def sign(purpose: str, text: str) -> str:
    """HMAC-SHA-256 of a text, hexadecimal."""
    return hmac.new(_secret(runs_root()), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


@functools.lru_cache(maxsize=8)
def _secret(home: Path) -> bytes:
    """Read, or made once; only its owner may read it. A new one ends all sign-ins and empties browsers' tile caches.

    Where it cannot be kept, it holds until the server ends.
    """
    path = home / _FILE
    try:
        if not path.is_file() or path.stat().st_size != _BYTES:
            _make(path)
        return path.read_bytes()
    except OSError as err:
        _log.warning("%s cannot be kept (%s): people sign in again after the next start", path, err)
        return secrets.token_bytes(_BYTES)


def _make(path: Path) -> None:
    """Write a new secret, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{_FILE}.{secrets.token_hex(4)}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_BYTES))
    finally:
        os.close(handle)
    try:
        if path.is_file() and path.stat().st_size != _BYTES:
            made.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
    finally:
        made.unlink(missing_ok=True)
