"""The imagery that lies below a result: the scenes that it was made from, as far as they are still there."""

from __future__ import annotations

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import SceneConfig
from pages.ui.look import wording
from pages.ui.map import layers
from pages.ui.state import cached


def of_config(scene: SceneConfig) -> tuple[Scene, ...]:
    """The scenes of a configuration; none, and a word why, where they have gone or may not be shown."""
    try:
        found = cached.scenes(scene)
        layers.imagery(found, layers.best_of(found))
    except EngineError as err:
        st.caption(f"Without imagery below: {wording.told(str(err))}")
        return ()
    return found
