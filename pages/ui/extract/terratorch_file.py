"""A TerraTorch generation file, uploaded: how each of its keys was read, what it will cost, and the start."""

from __future__ import annotations

import streamlit as st

from engine.jobs.configuration.config import ExtractConfig, yaml_mapping
from engine.jobs.job import submit
from engine.terratorch.generation import Translation, translate
from pages.ui import workspace
from pages.ui.jobs import config_view, cost, terratorch_reading
from pages.ui.look import errors, notices, wording
from pages.ui.state import session


def offer() -> None:
    """A place to drop the file, and below it the extraction that it becomes."""
    with st.expander("Start from a TerraTorch file", icon=":material/upload_file:"):
        file = st.file_uploader(
            "Generation YAML (EmbeddingGenerationTask), as it is",
            type=["yaml", "yml"],
            key="tt_file",
            max_upload_size=terratorch_reading.LARGEST_MB,
        )
        if file is None:
            return
        with errors.in_words(stop=False):
            found = translate(yaml_mapping(file.getvalue(), file.name), file.name)
            _reading(found)
            _start(_here(found.config), file.name.rpartition(".")[0])


def _reading(found: Translation) -> None:
    terratorch_reading.show(found.lines, found.warnings)
    if found.out is not None:
        named = wording.plain(str(found.out))
        st.caption(
            f"A run started here is kept with the others; the folder that the file names ({named}) is for the command line."
        )


def _here(config: ExtractConfig) -> ExtractConfig:
    """The same with the folder of the chips as it is called on this machine."""
    typed = st.text_input(
        "Folder of the chips on this machine", config.scene.path, key="tt_folder"
    )  # the file may come from another machine
    scene = config.scene.model_copy(update={"path": typed.strip() or config.scene.path})
    return config.model_copy(update={"scene": scene})


def _start(config: ExtractConfig, name: str) -> None:
    notices.random_weights(config.backbone.weights == "random")
    cost.show(config, "_tt")
    if st.button(
        "Start what the file asks for",
        type="primary",
        key="tt_start",
        icon=":material/play_arrow:",
        width="stretch",
    ):
        session.set_job(submit(config, workspace.folder()).id)
        st.rerun()
    config_view.show(config, f"{name}-emberscope", "terratorch_file")
