"""A TerraTorch generation file, uploaded: how each of its keys was read, what it will cost, and the start."""

from __future__ import annotations

import streamlit as st

from engine.jobs.configuration.config import ExtractConfig, yaml_mapping
from engine.terratorch.generation import Translation, translate
from pages.ui.jobs import cost, terratorch_reading
from pages.ui.look import errors, notices, wording


def offer() -> None:
    """A place to drop the file, and below it the extraction that it becomes."""
    with st.expander("Start from a TerraTorch file", icon=":material/upload_file:"):
        file = terratorch_reading.dropped("Generation YAML (EmbeddingGenerationTask), as it is", "tt_file")
        if file is None:
            return
        with errors.in_words(stop=False):
            found = translate(yaml_mapping(file.getvalue(), file.name), file.name)
            _reading(found)
            config = _here(found.config)
            notices.random_weights(config.backbone.weights == "random")
            cost.show(config, "_tt")
            terratorch_reading.start(
                config, "Start what the file asks for", "tt_start", file.name, "terratorch_file"
            )


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
