"""A configuration as text to read, copy, download, and run without the browser."""

from __future__ import annotations

import streamlit as st

from engine.files import slug
from engine.jobs.configuration.config import JobConfig, to_yaml


def show(config: JobConfig, name: str, key: str) -> None:
    """YAML with a copy button, a download, and the command that runs the file.

    Args:
        name: of the file that is downloaded, without its ending; other signs than letters, digits and _ become -.
    """
    text(to_yaml(config), config.kind, slug(name, "_", most=80).strip("-") or config.kind, key)


def text(yaml: str, kind: str, name: str, key: str, command: str = "") -> None:
    """As `show`, for YAML that is on disk already; `command` runs it from there."""
    st.code(yaml, language="yaml", height=260)
    st.code(command or f"python -m engine {kind} {name}.yaml", language="bash", wrap_lines=True)
    st.download_button(
        "Download YAML",
        yaml,
        f"{name}.yaml",
        "application/yaml",
        key=f"download_{key}",
        icon=":material/download:",
    )
