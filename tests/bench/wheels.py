"""Libraries that a bare machine with torch lacks, installed from a folder of wheels; only the standard library is used."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

# Distribution -> the name that it is imported by; with what they need themselves, torch's own needs left out.
NEEDED = {
    "numpy": "numpy", "affine": "affine", "attrs": "attr", "certifi": "certifi",
    "click": "click", "cligj": "cligj", "cachetools": "cachetools", "defusedxml": "defusedxml", "odc-geo": "odc.geo", "rasterio": "rasterio",
    "shapely": "shapely", "pyproj": "pyproj", "pyarrow": "pyarrow", "scipy": "scipy", "pydantic": "pydantic",
    "pydantic-core": "pydantic_core", "annotated-types": "annotated_types", "typing-inspection": "typing_inspection",
    "pyyaml": "yaml", "filelock": "filelock", "psutil": "psutil", "timm": "timm",
    "safetensors": "safetensors", "huggingface-hub": "huggingface_hub", "threadpoolctl": "threadpoolctl", "urllib3": "urllib3",
}  # fmt: skip


def install(wheels: Path | None, target: Path) -> None:
    """Install what this Python lacks from a folder of wheels, into a folder of this run."""
    missing = [name for name, module in NEEDED.items() if not _is_there(module)]
    if not missing:
        return
    if wheels is None:
        raise SystemExit(
            f"These libraries are missing: {' '.join(missing)}. Give their wheels with --wheels FOLDER."
        )
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--find-links",
        str(wheels),
    ]
    subprocess.run([*command, "--target", str(target), *missing], check=True)
    sys.path.insert(0, str(target))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")])


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would lie in
        return False
