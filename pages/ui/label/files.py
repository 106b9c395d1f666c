"""Labels as files: exported, imported, made a raster to train on, kept as a decoder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import streamlit as st

from engine.errors import RunFailure
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import HeadConfig, TrainConfig
from engine.labels.clicked.geojson import change_labels, parse_labels, to_geojson
from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import rows_of
from engine.learning.clicked.enough import task_config, what_lacks
from engine.learning.clicked.label_raster import write_label_raster
from engine.paths import PROJECT
from pages.ui import workspace
from pages.ui.label.seen import Seen
from pages.ui.look import errors, wording

_LISTED = 50


def listing(path: Path, labels: LabelSet) -> None:
    """Undo, and the labels one by one, the newest first."""
    with st.container(horizontal=True):
        if st.button("Undo", key="label_undo", icon=":material/undo:", disabled=not labels.labels):
            change_labels(path, lambda found: found.without_last())
            st.rerun()
        with st.popover(
            f"{wording.count(len(labels.labels), 'label')}",
            icon=":material/list:",
            disabled=not labels.labels,
        ):
            for label in labels.labels[::-1][:_LISTED]:
                said = " · ".join(
                    filter(
                        None, (label.class_name, label.source, label.who, label.when[:16].replace("T", " "))
                    )
                )
                left, right = st.columns([5, 1], vertical_alignment="center")
                left.markdown(wording.plain(said))
                if right.button(
                    "Remove", key=f"label_remove_{label.id}", icon=":material/delete:", type="tertiary"
                ):
                    change_labels(path, lambda found, gone=label.id: found.without([gone]))
                    st.rerun()
            if len(labels.labels) > _LISTED:
                st.caption(f"The newest {_LISTED} are listed. Export the labels to see all.")


def exchange(path: Path, labels: LabelSet) -> None:
    """Export and import of GeoJSON."""
    st.download_button(
        "Export labels", to_geojson(labels), file_name="labels.geojson", mime="application/geo+json", key="label_export",
        icon=":material/download:", width="stretch", disabled=not labels.labels, on_click="ignore",
    )  # fmt: skip
    given = st.file_uploader("Import labels (GeoJSON)", ("geojson", "json"), key="label_import")
    if given is not None and st.session_state.get("label_imported") != given.file_id:
        with errors.in_words(stop=False):
            found, notes = parse_labels(given.getvalue(), wording.plain(given.name), labels.classes)
            change_labels(path, lambda held: replace(found, labels=(*held.labels, *_new(found, held))))
            st.session_state["label_imported"] = given.file_id
            st.session_state["label_notes"] = [
                f"{wording.count(len(found.labels), 'label')} imported.",
                *notes,
            ]
            st.rerun()
    for note in st.session_state.get("label_notes", []):
        st.caption(wording.told(note))


def way_on(seen: Seen, path: Path, map_key: str) -> None:
    """To a training on the labels, or to a decoder that Apply takes."""
    is_ready = seen.taught is not None
    labelled = rows_of(seen.labels, seen.view.store, seen.view.chosen)
    lacks = what_lacks(seen.labels, labelled, seen.view.store) if is_ready else ""
    if lacks:
        st.caption(f"{wording.told(lacks)} Keep as a decoder needs no more labels.")
    if st.button(
        "Train on these labels",
        key="label_train",
        icon=":material/model_training:",
        width="stretch",
        disabled=not is_ready or bool(lacks),
    ):
        with errors.in_words():
            raster = write_label_raster(
                path.with_name("label-raster.tif"), seen.labels, labelled, seen.view, labelled.present
            )
            st.session_state["store_job"] = seen.view.store.folder.parent.name
            classes = task_config(seen.labels, labelled).classes
            lines = "\n".join(f"{one.value} {one.name} {one.colour}" for one in classes)
            st.session_state.update(
                t_task="own", t_classes=lines, t_labels="raster", t_label_path=str(raster)
            )
            st.switch_page("pages/train.py", query_params={})
    if st.button(
        "Keep as a decoder", key="label_keep", icon=":material/save:", width="stretch", disabled=not is_ready
    ):
        with st.spinner("Writing the decoder and its map."), errors.in_words():
            st.session_state[f"{map_key}/kept"] = _keep(seen, path)
    kept = st.session_state.get(f"{map_key}/kept")
    if kept:
        st.success("The decoder is among the trainings.", icon=":material/check:")
        if st.button(
            "Map other ground with it", key="label_apply", icon=":material/arrow_forward:", width="stretch"
        ):
            st.session_state["train_job"] = kept
            st.switch_page("pages/apply.py", query_params={"job": kept})


def _keep(seen: Seen, path: Path) -> str:
    """The name of the run that the command line's own `label` makes: the server itself never loads torch.

    Raises:
        RunFailure: in the words of the command.
    """
    store = seen.view.store.folder
    made = run_folder.new_folder(
        TrainConfig(store=str(store), head=HeadConfig(name="linear")), workspace.folder()
    )
    command = [
        sys.executable, "-m", "engine", "label", str(store), str(path), "--out", str(path.with_name("map.tif")),
        "--decoder", str(made), "--method", seen.method, "--layer", str(seen.view.view.layer), "--position", seen.view.view.position,
        *(["--date", seen.view.date] if seen.view.date else []),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunFailure(
            said[-1].removeprefix("error: ") if said else "The decoder could not be written. Try again."
        )
    return made.name


def _new(found: LabelSet, held: LabelSet) -> list:
    """Labels that are not here yet: a file that was exported here brings the same ones again."""
    known = {one.id for one in held.labels}
    return [one for one in found.labels if one.id not in known]
