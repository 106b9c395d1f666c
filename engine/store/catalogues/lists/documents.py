"""JSON documents of catalogues, each kept, so that what was asked before is known without a network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.errors import RemoteError
from engine.files import make_folder, read_json, write_atomic
from engine.imagery.remote.addresses import shown
from engine.imagery.remote.http import Asked, ask
from engine.workspace import runs_root

_MOST_BYTES = 48_000_000


def document(address: str) -> tuple[dict[str, Any], str]:
    """A JSON object, as its server gives it now, else as it gave it last.

    Returns:
        The object, and why its server could not be asked; "" where it was.

    Raises:
        RemoteError: it cannot be had and was never, or is no JSON object.
    """
    kept = _folder() / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.json"
    try:
        answer = ask(
            Asked(
                address, headers={"Accept": "application/geo+json, application/json"}, most_bytes=_MOST_BYTES
            )
        )
    except RemoteError as err:
        return _before(kept, err), str(err)
    if answer.status != 200:
        raise RemoteError(f"{shown(address)} answered {answer.status}. Check the address of the catalogue.")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RemoteError(
            f"{shown(address)} is no JSON object, as STAC has them. Check the address of the catalogue."
        )
    make_folder(kept.parent)
    write_atomic(kept, lambda temporary: temporary.write_text(json.dumps(found), encoding="utf-8"))
    return found, ""


def _before(kept: Path, err: RemoteError) -> dict[str, Any]:
    try:
        found = read_json(kept)
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise err
    return found


def _folder() -> Path:
    return runs_root() / "cache" / "documents"
