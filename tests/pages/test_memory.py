"""What the server holds before anybody has come."""

from __future__ import annotations

import subprocess
import sys

# Libraries of learning and of notebooks' kernels that no page needs in the server's own process.
_ELSEWHERE = ("torch", "sklearn", "timm", "torchgeo", "onnxruntime", "matplotlib", "ray")
_MOST_MB = 400  # 343 with Python 3.11 when this was written; 462 with a careless reading of the coast
_WARM = f"""
import psutil, sys
from pages.ui.frame import frame
from pages.ui.map.routes import serving
serving._import_heavy()
print([name for name in {_ELSEWHERE} if name in sys.modules])
print(psutil.Process().memory_info().rss // 10**6)
"""


def test_a_warm_server_is_small_and_holds_no_learning_library() -> None:
    said = subprocess.run([sys.executable, "-c", _WARM], capture_output=True, text=True, check=True)
    held, megabytes = said.stdout.splitlines()
    assert held == "[]"
    assert int(megabytes) < _MOST_MB
