"""A lens on a map: what the browser needs to draw a store's patches by itself, and what a person chose there."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from branca.element import MacroElement
from jinja2 import Template

from pages.ui.map.routes import serving


@dataclass(frozen=True)
class Picked:
    """What a person chose on the map.

    Attributes:
        positive, negative: rows of the store.
        threshold: values below are transparent; None: nothing is.
        serial: counts the choices, so that the page never answers with an older one.
    """

    positive: tuple[int, ...] = ()
    negative: tuple[int, ...] = ()
    threshold: float | None = None
    serial: int = 0


@dataclass(frozen=True)
class ShownLens:
    """A store's patches on a map.

    Attributes:
        name: of the layer, which lives on while its lens changes.
        of: what `picked` belongs to: choices of one view mean nothing to another.
        token: of `lens_files.register`.
        lens: `Lens.to_json` of the lens on the file's components.
        follows: similarity to the patch below the pointer, until one is picked.
        hint: what the box beside the map says where the pointer is on nothing.
        date: number of the date to show; None: all.
        labels: a click or an outline is ground to label, and told as GeoJSON.
        goto: a place to bring into sight, `lon`, `lat` and `zoom`, once for each `time`; what lies inside its `corners`, latitude
            and longitude, is left without colour.
    """

    name: str
    of: str
    token: str
    lens: Mapping[str, Any]
    credit: str
    title: str
    follows: bool = False
    picked: Picked = field(default_factory=Picked)
    hint: str = ""
    date: int | None = None
    pane: str = "overlay"
    labels: bool = False
    goto: Mapping[str, Any] | None = None

    def options(self) -> dict[str, Any]:
        """For `Emberscope.lens`."""
        return {
            "name": self.name,
            "of": self.of,
            "pane": self.pane,
            "title": self.title,
            "attribution": html.escape(self.credit),
            "url": f"{serving.FROM_MAP}lens/{self.token}.bin",
            "workerUrl": worker_url(),
            "lens": dict(self.lens),
            "follows": self.follows,
            "picked": {"positive": list(self.picked.positive), "negative": list(self.picked.negative)},
            "threshold": self.picked.threshold,
            "serial": self.picked.serial,
            "hint": self.hint,
            "date": self.date,
            "labels": self.labels,
            "goto": None if self.goto is None else dict(self.goto),
        }


class _LensCall(MacroElement):
    """One call `Emberscope.lens(group, options)` in the script of a feature group."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "Emberscope.lens({{ this._parent.get_name() }}, {{ this.options|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self._name = "LensCall"
        self.options = options


def group(shown: Sequence[ShownLens]) -> Any:
    """The lenses of a map as a feature group, which is swapped without a flicker."""
    import folium

    made = folium.FeatureGroup(name="lenses")
    for lens in shown:
        made.add_child(_LensCall(lens.options()))
    return made


def worker_url() -> str:
    """Address of the worker; it carries the versions of the parts that the worker loads."""
    versions = "&".join(
        f"{name}={serving.version(f'lens_{name}{ending}')}"
        for name, ending in (("worker", ".js"), ("kernel", ".js"), ("picture", ".js"), ("pieces", ".js"))
    )
    return f"{serving.FROM_MAP}map/lens_worker.js?{versions}&wasm={serving.version('lens_kernel.wasm')}"


def picked(map_key: str, of: str) -> Picked | None:
    """What was last chosen on a map, of what `ShownLens.of` says; None where nothing was."""
    told = (st.session_state.get(map_key) or {}).get("last_active_drawing") or {}
    properties = told.get("properties") or {}
    if properties.get("of") != of:
        return None
    threshold = properties.get("threshold")
    return Picked(
        tuple(int(one) for one in properties.get("positive", ())),
        tuple(int(one) for one in properties.get("negative", ())),
        None if threshold is None else float(threshold),
        int(properties.get("serial", 0)),
    )
