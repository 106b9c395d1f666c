"""The browser's own code on a file of a lens, run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).resolve().parents[4] / "assets" / "tests" / "apply_lens.mjs"


def in_browser(path: Path, room: Path, **request: Any) -> dict[str, Any]:
    """What the worker makes of a file; see assets/tests/apply_lens.mjs."""
    program = shutil.which("node")
    if program is None:
        pytest.fail("The lens's tests need Node and found none. `make test` installs it with npm.")
    asked = room / "request.json"
    asked.write_text(json.dumps({"lenses": [], **request}))
    answer = subprocess.run([program, _SCRIPT, path, asked], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))
