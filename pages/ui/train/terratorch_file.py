"""A TerraTorch downstream file, uploaded: how each of its keys was read, and the start of the training that it becomes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.extraction.embedding_files.chips import chips_of
from engine.jobs.configuration.config import EmbeddingFilesConfig, TrainConfig, yaml_mapping
from engine.terratorch.training import translate_training
from pages.ui.jobs import terratorch_reading
from pages.ui.look import errors, wording


def offer() -> None:
    """A place to drop the file, and below it the training that it becomes."""
    with st.expander("Start from a TerraTorch file", icon=":material/upload_file:"):
        file = terratorch_reading.dropped(
            "Downstream YAML (SemanticSegmentationTask on embeddings), as it is", "tt_train_file"
        )
        if file is None:
            return
        typed = st.text_input(
            "Folder on this machine in which the paths of the file lie", key="tt_train_base", placeholder=str(Path.cwd()),
            help="The embeddings may be TerraTorch's *_embedding.tif, an export of Emberscope, or a store of it.",
        )  # fmt: skip
        with errors.in_words(stop=False):
            base = Path(typed.strip()).expanduser() if typed.strip() else None
            found = translate_training(yaml_mapping(file.getvalue(), file.name), file.name, base)
            terratorch_reading.show(found.lines, found.warnings)
            _there(found.config)
            terratorch_reading.start(
                found.config,
                "Train what the file asks for",
                "tt_train_start",
                file.name,
                "terratorch_training",
            )


def _there(config: TrainConfig) -> None:
    """How many chips of each split have embeddings and labels here."""
    assert isinstance(config.store, EmbeddingFilesConfig)
    splits = [chip.split for chip in chips_of(config.store)]
    words = [f"{splits.count(name)} {title}" for name, title in
             (("train", "to train on"), ("val", "to choose the epoch by"), ("test", "to test on"))]  # fmt: skip
    st.caption(f"{wording.count(len(splits), 'chip')} with embeddings and labels: {', '.join(words)}.")
