"""A data set from fire perimeters: the file, what was understood of it, where images come from, and what it will take."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import ValidationError

from engine.datasets.images import area_lonlat, image_here
from engine.datasets.perimeters.choosing import area_m2
from engine.datasets.perimeters.reading import Perimeters
from engine.errors import ConfigError, EngineError
from engine.imagery.catalogues.presets import catalogues
from engine.imagery.remote.access import wants
from engine.imagery.sensors.table import SENSORS
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import DatasetConfig
from engine.jobs.configuration.dataset import (
    AskedForEachFire,
    ChipsConfig,
    ClassesConfig,
    DatasetLabelsConfig,
    PerimetersConfig,
)
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.explore.catalogues import sentinel_hub
from pages.ui.explore.datasets import perimeters_file
from pages.ui.jobs import config_view
from pages.ui.look import errors, style, wording
from pages.ui.look.fields import help_of
from pages.ui.state import cached, regions, session

_BY_ITSELF = "as the file tells"
_READ_HERE = ("file", "files", "chips", "simulated", "netcdf", "zarr", "stack")
_MOST_LOOKED_AT = 500
_BYTES_A_PIXEL = 6 * 4 * 0.7  # six bands of float32, deflated


def show() -> bool:
    """The whole form.

    Returns:
        False: starting a job switches to its page.
    """
    file = st.file_uploader(
        "Perimeters with dates: GeoJSON, KML, GeoPackage, GeoParquet, or a zipped Shapefile, as NIFC, MTBS, EFFIS, Copernicus EMS and "
        "CAL FIRE publish them",
        type=perimeters_file.TYPES, key="perimeters_file",
    )  # fmt: skip
    if file is None:
        st.caption(
            "Each fire becomes chips of the first clear image after it, masks (burnt, not burnt, unknown) and splits, in the layout "
            "of HLS Burn Scars. Fires are never divided between training and test."
        )
        return False
    path = perimeters_file.keep(file.name, file.getvalue())
    reading = _reading(path)
    if reading is None:
        return False
    said, classes = reading
    found = _understood(said)
    imagery = _imagery() if found is not None else None
    if found is None or imagery is None:
        return False
    config = _config(said, classes, imagery)
    if config is not None:
        _start(config, found)
    return False


def _columns(path: Path, layer: str | None) -> tuple[list[str], EngineError | None]:
    """The attributes of a file, or what keeps them from being read."""
    try:
        return perimeters_file.columns(str(path), layer), None
    except EngineError as err:
        return [], err


def _reading(path: Path) -> tuple[PerimetersConfig, ClassesConfig | None] | None:
    """How the file is read, and which attribute becomes classes; None where it cannot be, which is told."""
    layer = st.session_state.get("perimeters_layer") or None
    known, trouble = _columns(path, layer)
    with st.expander(
        "Columns, days and which fires", icon=":material/edit_note:", expanded=trouble is not None
    ):
        st.text_input("Layer", key="perimeters_layer", help=help_of(PerimetersConfig, "layer"))
        if trouble is not None:
            errors.tell(trouble)
            return None
        left, right = st.columns(2)
        date = _column(left, "Day that the fire began", known, "date")
        end = _column(right, "Day of the perimeter", known, "end")
        day = left.date_input(
            "Or one day for all of them",
            None,
            dt.date(1972, 1, 1),
            dt.datetime.now(dt.UTC).date(),
            key="perimeters_day",
        )
        name = _column(right, "Name", known, "name")
        column = st.selectbox("Severity or class from", ["none", *known], key="perimeters_class", help=help_of(ClassesConfig, "column"))  # fmt: skip
        smallest = left.number_input("Smallest fire (ha)", 0, 1_000_000, 0, key="perimeters_ha", help=help_of(PerimetersConfig, "smallest_ha"))  # fmt: skip
        named = right.text_input("Only the fires named", key="perimeters_names", placeholder="Dixie, Caldor", help=help_of(PerimetersConfig, "names"))  # fmt: skip
        region = regions.chosen()
        is_within = region is not None and st.checkbox("Only those in the region of this page", key="perimeters_within")  # fmt: skip
    said = PerimetersConfig(
        file=str(path), layer=layer, date=day.isoformat() if day else date, end=end, name=name, smallest_ha=smallest,
        names=tuple(part.strip() for part in named.split(",") if part.strip()),
        bounds_lonlat=regions.checked(region).bounds_lonlat if region is not None and is_within else None,
    )  # fmt: skip
    return said, None if column == "none" else ClassesConfig(column=column)


def _column(place: Any, label: str, known: list[str], key: str) -> str | None:
    chosen = place.selectbox(label, [_BY_ITSELF, *known], key=f"perimeters_{key}", help=help_of(PerimetersConfig, key))  # fmt: skip
    return None if chosen == _BY_ITSELF else str(chosen)


def _understood(said: PerimetersConfig) -> Perimeters | None:
    """The fires of the file, told; None where they cannot be read, which is told too."""
    try:
        found = perimeters_file.fires(said.model_dump_json(), said)
    except EngineError as err:
        errors.tell(err)
        st.caption("Choose the columns, or a day for all fires, above.")
        return None
    starts = [fire.start for fire in found.asked]
    style.facts(
        (
            ("Fires", f"{len(found.asked):,}"),
            ("Began", str(min(starts)) if min(starts) == max(starts) else f"{min(starts)} to {max(starts)}"),
            ("Left out", wording.count(len(found.not_had), "row")),
        )
    )
    told = " ".join(note.partition(" Set perimeters.")[0] for note in found.notes)
    st.info(wording.plain(f"{told} Others can be chosen above."), icon=":material/info:")
    with st.expander("The fires", icon=":material/list:"):
        st.dataframe(
            [{"Fire": fire.title, "Began": fire.start, "Ended": fire.end} for fire in found.asked[:500]]
            + [{"Fire": one.fire, "Began": None, "Ended": None, "Left out": one.reason} for one in found.not_had[:100]],
            hide_index=True, width="stretch",
        )  # fmt: skip
    return found


def _imagery() -> dict[str, Any] | None:
    """Where images come from; None where the place looked at cannot be one."""
    ways = {"catalogue": "A catalogue", "place": "The place of this page"}
    way = st.segmented_control(
        "Images from", list(ways), default="catalogue", required=True, key="dataset_images", format_func=ways.__getitem__,
    )  # fmt: skip
    if way == "place":
        scene = session.place().scene
        if scene.source not in _READ_HERE:
            st.info("The place of this page is one picture of a catalogue. Choose a catalogue instead: it is asked for each fire.", icon=":material/info:")  # fmt: skip
            return None
        style.small(f"{session.place().title}: the first of its dates after each fire.")
        return scene.model_dump(mode="json")
    known = catalogues()
    left, right = st.columns(2)
    titles = {one: known[one].title for one in known} | {sentinel_hub.NAME: sentinel_hub.TITLE}
    name = left.selectbox("Catalogue", list(titles), format_func=titles.__getitem__, key="dataset_catalogue")  # fmt: skip
    if name == sentinel_hub.NAME:
        right.selectbox("Product", ["Sentinel-2 L2A"], key="dataset_hub_product")
        sentinel_hub.needs()
        return {"source": "sentinel_hub", "most_cloud_pct": _cloud()}
    products = {one.id: one for one in known[name].collections if one.has_dates}
    product = right.selectbox("Product", list(products), format_func=lambda one: products[one].title, key=f"dataset_product_{name}")  # fmt: skip
    needs = wants(products[product].access)
    if needs:
        style.small(f"Its files want a login, which this server takes from its environment: {needs}.")
    return {"source": "stac", "catalogue": name, "collection": product, "most_cloud_pct": _cloud()}


def _cloud() -> int:
    return int(st.slider("At most so much cloud (%)", 0, 100, 60, key="dataset_cloud"))


def _config(
    said: PerimetersConfig, classes: ClassesConfig | None, imagery: dict[str, Any]
) -> DatasetConfig | None:
    """The configuration that the form describes."""
    columns = st.columns(3)
    with columns[0]:
        side = st.selectbox("Side of a chip (px)", (128, 224, 256, 512), index=3, key="dataset_side", help=help_of(ChipsConfig, "size_px"))  # fmt: skip
        gsd = st.selectbox("Metres a pixel", ("as the images", 10, 20, 30), key="dataset_gsd", help=help_of(ChipsConfig, "gsd_m"))  # fmt: skip
    with columns[1]:
        buffer = st.number_input("Ring that does not count (m)", 0, 5_000, 60, key="dataset_buffer", help=help_of(DatasetLabelsConfig, "buffer_m"))  # fmt: skip
        around = st.number_input("Unburnt surroundings (m)", 0, 50_000, 2_000, key="dataset_around", help=help_of(ChipsConfig, "surroundings_m"))  # fmt: skip
    with columns[2]:
        burning = st.number_input("Days a fire burns", 0, 365, 30, key="dataset_burning", help=help_of(DatasetConfig, "burning_days"))  # fmt: skip
        after = st.number_input("Days after it", 1, 730, 60, key="dataset_after", help=help_of(DatasetConfig, "days_after"))  # fmt: skip
    is_masked = st.checkbox("Leave clouds out where images bring no mask of their own", key="dataset_clouds", help=help_of(DatasetConfig, "clouds"))  # fmt: skip
    try:
        return DatasetConfig.model_validate({
            "clouds": "mask" if is_masked else "keep",
            "perimeters": said.model_dump(), "imagery": imagery, "burning_days": burning, "days_after": after,
            "chips": {"size_px": side, "gsd_m": None if isinstance(gsd, str) else gsd, "surroundings_m": around},
            "labels": {"buffer_m": buffer, "classes": classes.model_dump() if classes else None},
        })  # fmt: skip
    except ValidationError as err:
        raise ConfigError(f"The data set cannot be made: {in_words(err, DatasetConfig)}.") from err


def _start(config: DatasetConfig, found: Perimeters) -> None:
    """What it will take, and the button."""
    gsd = config.chips.gsd_m or _gsd_m(config)
    chips = sum(_chips(fire, config, gsd) for fire in found.asked[:2_000])
    size = chips * config.chips.size_px**2 * _BYTES_A_PIXEL
    style.facts((("Chips", f"at most {chips:,}"), ("On disk", f"≤ {wording.megabytes(size / 1e6)}")))
    is_hopeless = not _some_are_seen(config, found)
    if st.button("Make the data set", type="primary", key="dataset_start", icon=":material/play_arrow:", disabled=is_hopeless):  # fmt: skip
        job = submit(config, workspace.folder())
        st.session_state["datasets_open"] = False
        st.switch_page("pages/runs.py", query_params={"job": job.id})
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(config, f"dataset-{config.title}", "dataset")


def _some_are_seen(config: DatasetConfig, found: Perimeters) -> bool:
    """Whether scenes that are here show any of the fires after it, told; a catalogue is asked by the job."""
    if isinstance(config.imagery, AskedForEachFire):
        return True
    scenes = cached.scenes(config.imagery)
    fires = found.asked[:_MOST_LOOKED_AT]
    reasons = [image_here(fire, config, scenes) for fire in fires]
    seen = reasons.count("")
    if seen < len(fires):
        other = next(reason for reason in reasons if reason)
        tell = st.warning if seen else st.error
        tell(
            f"{seen} of {wording.count(len(fires), 'fire')} can be seen in the place of this page. Of another: {wording.plain(_in_page_words(other))}.",
            icon=":material/visibility_off:",
        )
    return seen > 0


def _in_page_words(reason: str) -> str:
    """A reason with the settings called as this form calls them."""
    return reason.replace("(burning_days, days_after)", "(Days a fire burns, Days after it)")


def _chips(fire: Any, config: DatasetConfig, gsd: float) -> int:
    """How many chips a fire may have: those of its rectangle."""
    area = area_m2(area_lonlat(fire, config.chips.surroundings_m))
    return min(config.chips.most_per_fire, math.ceil(area / (gsd * config.chips.size_px) ** 2) + 1)


def _gsd_m(config: DatasetConfig) -> float:
    """Metres a pixel of the images."""
    asked = config.imagery
    if asked.source == "sentinel_hub":
        return asked.gsd_m
    if asked.source == "stac":
        return float(SENSORS[catalogues()[asked.catalogue].collection(asked.collection).sensor].gsd_m)
    return float(min(scene.gsd_m for scene in cached.scenes(asked)))
