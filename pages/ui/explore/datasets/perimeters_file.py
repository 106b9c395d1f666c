"""Files of perimeters that a person drops: kept by their content, so that a job that goes on later finds them."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import streamlit as st

from engine.datasets.perimeters.reading import Perimeters, read_perimeters
from engine.errors import BadInput
from engine.files import make_folder, slug, write_atomic
from engine.imagery.vector.table import ENDINGS, read_table
from engine.jobs.configuration.dataset import PerimetersConfig
from pages.ui import workspace

TYPES = [ending[1:] for ending in ENDINGS if ending not in (".shp",)]


def keep(name: str, content: bytes) -> Path:
    """Write a file below a name of our own, once for each content.

    Raises:
        BadInput: its name ends as no file of perimeters does.
        DiskFull, RunFailure: it cannot be written.
    """
    plain = PurePosixPath(name.replace("\\", "/"))
    ending = plain.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"A file of perimeters ends in {', '.join(ENDINGS)}. Export it as one of these.")
    stem = slug(plain.stem, "._-", "_", 60).strip("._-") or "perimeters"
    path = workspace.folder() / "perimeters" / hashlib.sha256(content).hexdigest()[:16] / f"{stem}{ending}"
    if not path.is_file():
        make_folder(path.parent)
        write_atomic(path, lambda temporary: temporary.write_bytes(content))
    return path


@st.cache_data(show_spinner="Reading the perimeters", max_entries=16)
def columns(path: str, layer: str | None) -> list[str]:
    """Names of the attributes of a file that is kept by its content."""
    frame = read_table(Path(path), layer, Path(path).name)
    return [str(one) for one in frame.columns if one != frame.geometry.name]


@st.cache_resource(show_spinner="Reading the perimeters", max_entries=16)
def fires(key: str, _config: PerimetersConfig) -> Perimeters:
    """The fires of a file, read once for each way of reading it."""
    del key
    return read_perimeters(_config)
