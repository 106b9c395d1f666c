"""The imagery that Explore shows as a file: one scene, cut to the region where there is one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import streamlit as st
import yaml

from engine.errors import RunFailure
from engine.imagery.cut import Cut, cut_of
from engine.imagery.scene import Scene, fingerprint
from engine.jobs.configuration.config import RegionConfig
from engine.paths import PROJECT
from pages.ui import workspace
from pages.ui.jobs import take
from pages.ui.look import errors, wording
from pages.ui.map import layers
from pages.ui.state import address, downloads, regions, session

_BLOCK = 1 << 20
# From here on the page says that making it takes a while.
_LARGE_MB = 200
_one_at_a_time = threading.Lock()


def offer(place: session.Place, scenes: Sequence[Scene]) -> None:
    """The scene that is looked at, with all of its bands, as a GeoTIFF; its size is told before."""
    st.subheader("Take the imagery", anchor=False)
    with errors.in_words(stop=False):
        region = regions.chosen()
        polygon = regions.checked(region).polygon if region else None
        near = [one for one in scenes if polygon is None or polygon.intersects(layers.footprint(one))]
        if not near:
            st.caption("No scene lies in the region.")
            return
        scene = _choose(near)
        files = f"{list(map(str, scene.paths))} {fingerprint(scene)}"
        cut = _cut(files, region.model_dump_json() if region else "", scene, region)
        megabytes = cut.most_bytes / 1e6
        take.links([(f"GeoTIFF · at most {wording.megabytes(megabytes)}", _address(place, scene, region))])
        what = "measured values" if cut.is_measured else "the stored values, with scale and offset"
        large = (
            " It is made after the click, which takes a while at this size." if megabytes > _LARGE_MB else ""
        )
        st.caption(
            f"{wording.count(len(scene.bands), 'band')}, {what}; its tags say what is known of date and source.{large}"
        )


@st.cache_resource(show_spinner=False, max_entries=256)
def _cut(files: str, area: str, _scene: Scene, _region: RegionConfig | None) -> Cut:
    del files, area  # paths and times of modification of the scene, and the region
    return cut_of(_scene, regions.checked(_region) if _region else None)


def _choose(scenes: Sequence[Scene]) -> Scene:
    """The one scene, or one of several: at first the one that the map is at."""
    if len(scenes) == 1:
        return scenes[0]
    by_id = {scene.id: scene for scene in scenes}
    key = "explore_take_scene"
    if st.session_state.get(key) not in by_id:
        named = address.read("scene")
        st.session_state[key] = named if named in by_id else scenes[0].id
    chosen = st.selectbox(
        "Scene", list(by_id), key=key, format_func=lambda name: layers.scene_words(by_id[name])
    )
    return by_id[chosen]


def _address(place: session.Place, scene: Scene, region: RegionConfig | None) -> str:
    tree = {"scene": place.scene.model_dump(mode="json")}
    tree |= {"region": region.model_dump(mode="json")} if region else {}
    folder, name, text = workspace.folder(), workspace.name(), yaml.safe_dump(tree)
    key = f"cut {folder} {text} {scene.id} {fingerprint(scene)}"
    return downloads.offer(key, f"{scene.id}.tif", lambda _asked: _made(text, scene.id, folder, name))


def _made(text: str, scene: str, folder: Path, name: str) -> Iterator[bytes]:
    """The file, block by block, written by the command line's own `cut` to a folder that goes once it is sent.

    Raises:
        RunFailure: in the words of the command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = tempfile.TemporaryDirectory(prefix=".cut-", dir=folder)
    try:
        config, out = Path(held.name) / "cut.yaml", Path(held.name) / "cut.tif"
        config.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "engine", "cut", str(config), "--scene", scene, "--out", str(out), "--workspace", name]  # fmt: skip
        with _one_at_a_time:
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise RunFailure(
                said[-1].removeprefix("error: ") if said else "The file could not be made. Try again."
            )
    except BaseException:
        held.cleanup()
        raise
    return _blocks(held, out)


def _blocks(held: tempfile.TemporaryDirectory[str], path: Path) -> Iterator[bytes]:
    with held, path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
