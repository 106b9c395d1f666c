"""Files of fire perimeters in every format, and days as each publisher writes them."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.affinity import translate
from shapely.geometry import mapping

from engine.datasets.perimeters.days import Unreadable, days_of
from engine.datasets.perimeters.reading import Perimeters, read_perimeters
from engine.errors import BadInput
from engine.jobs.configuration.config import parse_config
from tests.unit.datasets.made import burnt_m, day, features, lonlat, write_geojson

DAY = dt.date(2021, 7, 13)


@pytest.mark.parametrize(
    "value",
    ["2021-07-13", "2021-07-13T18:22:00Z", "2021/07/13", "7/13/2021", "7/13/2021 12:00:00 AM", "20210713", 20210713, "202107131830",
     1626134400000, 1626134400, 1626134400000.0, "1626134400000", "Tue, 13 Jul 2021 00:00:00 GMT", DAY,
     dt.datetime(2021, 7, 13, 4, tzinfo=dt.UTC), "13.07.2021", "2021-07-13 11:36:00", "2021-07-13T11:36:00.123+02:00"],
)  # fmt: skip
def test_a_day_is_read_in_every_form(value: Any) -> None:
    assert days_of([value, None, ""]) == [DAY, None, None]


@pytest.mark.parametrize("value", [7, 2021, 3.5, "soon", "1650-01-01", True, "2021-13-45"])
def test_what_is_no_day_is_not_taken_for_one(value: Any) -> None:
    with pytest.raises(Unreadable, match="is no day"):
        days_of([value])


def test_days_and_months_are_told_apart_by_the_whole_column_or_refused() -> None:
    assert days_of(["07/08/2021", "25/08/2021"]) == [dt.date(2021, 8, 7), dt.date(2021, 8, 25)]
    assert days_of(["07/08/2021"], day_before_month=False) == [dt.date(2021, 7, 8)]
    with pytest.raises(Unreadable, match="day_before_month"):
        days_of(["07/08/2021", "01/02/2021"])


def read(path: Path, **said: Any) -> Perimeters:
    config = parse_config({"kind": "dataset", "perimeters": {"file": str(path), **said}, "imagery": {"source": "file", "path": "x.tif"}})  # fmt: skip
    return read_perimeters(config.perimeters)  # type: ignore[union-attr]


OF_PUBLISHERS = {
    "NIFC (WFIGS)": {"poly_IncidentName": "Dixie", "attr_FireDiscoveryDateTime": 1626134400000, "attr_ContainmentDateTime": 1635120000000,
                     "poly_PolygonDateTime": 1630000000000},
    "MTBS": {"Incid_Name": "DIXIE", "Ig_Date": "2021-07-13", "Event_ID": "CA39"},
    "EFFIS": {"FIREDATE": "2021-07-13 11:36:00", "LASTUPDATE": "2021-10-25 09:00:00", "PROVINCE": "Dixie"},
    "CAL FIRE (FRAP)": {"FIRE_NAME": "DIXIE", "ALARM_DATE": "2021-07-13", "CONT_DATE": "2021-10-25"},
}  # fmt: skip


@pytest.mark.parametrize("publisher", OF_PUBLISHERS)
def test_the_columns_of_each_publisher_are_known_and_that_is_said(publisher: str, tmp_path: Path) -> None:
    found = read(write_geojson(tmp_path / "fires.geojson", features(range(1), **OF_PUBLISHERS[publisher])))
    (fire,) = found.fires
    assert (fire.start, fire.name.lower()) == (DAY, "dixie")
    assert fire.end == (None if publisher == "MTBS" else dt.date(2021, 10, 25))
    assert publisher in found.notes[0]


def test_copernicus_ems_states_no_days_so_one_is_asked_for(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "ems.geojson", features(range(2), event_type="5-Wildfire", obj_desc="Burnt area"))  # fmt: skip
    with pytest.raises(BadInput, match=r"Set perimeters\.date"):
        read(path)
    assert [fire.start for fire in read(path, date="2021-07-13").fires] == [DAY, DAY]


KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>Dixie</name>
<TimeSpan><begin>2021-07-13</begin><end>2021-10-25</end></TimeSpan><Polygon><outerBoundaryIs><LinearRing><coordinates>{corners}
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""


def written(path: Path) -> Path:
    """The same fire in the format that a path ends with."""
    shape = lonlat(burnt_m(0))
    frame = gpd.GeoDataFrame({"FIRE_NAME": ["Dixie"], "ALARM_DATE": ["2021-07-13"]}, geometry=[shape], crs=4326)  # fmt: skip
    if path.suffix in (".kml", ".kmz"):
        text = KML.format(corners=" ".join(f"{x},{y},0" for x, y in shape.exterior.coords))
        if path.suffix == ".kml":
            path.write_text(text)
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("doc.kml", text)
                archive.writestr("files/picture.png", b"x")
    elif path.suffix == ".zip":
        (path.parent / "parts").mkdir()
        frame.to_crs(32610).to_file(path.parent / "parts" / "perims.shp")
        with zipfile.ZipFile(path, "w") as archive:
            for part in (path.parent / "parts").iterdir():
                archive.write(part, f"download/{part.name}")
            archive.writestr("__MACOSX/._perims.shp", b"x")
            archive.writestr("readme.pdf", b"x")
    elif path.suffix == ".parquet":
        frame.to_crs(32610).to_parquet(path)
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize("suffix", [".geojson", ".kml", ".kmz", ".gpkg", ".zip", ".parquet", ".fgb"])
def test_the_same_fire_comes_out_of_every_format(suffix: str, tmp_path: Path) -> None:
    (fire,) = read(written(tmp_path / f"fires{suffix}")).fires
    assert (fire.start, fire.name) == (DAY, "Dixie")
    assert fire.shape.symmetric_difference(lonlat(burnt_m(0))).area < 1e-3 * fire.shape.area


def test_one_of_several_shapefiles_in_a_zip_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "ems.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for part in (tmp_path / "parts").iterdir():
            archive.write(part, f"areaOfInterestA{part.suffix}")
    with pytest.raises(BadInput, match="2 layers: perims, areaOfInterestA"):
        read(path)
    assert len(read(path, layer="perims").fires) == 1


def test_polygons_that_are_none_are_left_out_with_the_reason(tmp_path: Path) -> None:
    found = features(range(4), Ig_Date="2021-07-13", Incid_Name=lambda number: f"F{number}")
    found[0]["geometry"] = {"type": "Point", "coordinates": [1, 2]}
    found[1]["geometry"] = None
    found[2]["geometry"]["coordinates"] = [[[500_000, 4e6], [500_100, 4e6], [500_100, 4.1e6], [500_000, 4e6]]]
    read_back = read(write_geojson(tmp_path / "fires.geojson", found))
    assert [fire.name for fire in read_back.fires] == ["F3"]
    assert [one.reason.partition(",")[0] for one in read_back.not_had] == ["it is a Point without an area", "it has no polygon", "it reaches from 500000"]  # fmt: skip


@pytest.mark.parametrize("corner", [float("nan"), float("inf"), -float("inf")])
def test_a_corner_that_is_no_number_is_left_out_with_the_reason(tmp_path: Path, corner: float) -> None:
    found = features(range(2), Incid_Name=lambda number: f"F{number}", Ig_Date="2021-07-13")
    ring = [list(one) for one in found[0]["geometry"]["coordinates"][0]]
    ring[1][0] = corner
    found[0]["geometry"]["coordinates"] = [ring]
    read_back = read(write_geojson(tmp_path / "fires.geojson", found))
    assert [fire.name for fire in read_back.fires] == ["F1"]
    assert [one.reason for one in read_back.not_had] == ["it has a corner that is no pair of numbers"]


def test_rows_of_one_name_and_day_are_one_fire_only_where_they_lie_near(tmp_path: Path) -> None:
    found = features(range(3), Ig_Date="2021-07-13", Incid_Name="BEAR")
    found[1]["geometry"] = mapping(translate(lonlat(burnt_m(0)), 0.1))
    found[2]["geometry"] = {
        "type": "Polygon",
        "coordinates": [[[10, 40], [10.1, 40], [10.1, 40.1], [10, 40]]],
    }
    assert [len(fire.parts) for fire in read(write_geojson(tmp_path / "f.geojson", found)).fires] == [2, 1]


@pytest.mark.parametrize(
    ("asked", "names"),
    [({"names": ["f1", "F2"]}, ["F1", "F2"]), ({"days": ["2021-07-02", "2021-07-03"]}, ["F1", "F2"]), ({"smallest_ha": 200}, ["F3"]),
     ({"bounds_lonlat": [-121.9, 39.0, -121.75, 40.0]}, ["F0"])],
)  # fmt: skip
def test_only_the_fires_that_are_asked_for_become_chips(
    asked: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    found = features(range(4), Ig_Date=day, Incid_Name=lambda number: f"F{number}")
    found[3]["geometry"] = mapping(lonlat(burnt_m(3).buffer(200)))
    read_back = read(write_geojson(tmp_path / "fires.geojson", found), **asked)
    assert [fire.name for fire in read_back.asked] == names
    assert len(read_back.fires) == 4
    assert f"{4 - len(names)} of 4 fires are not asked for." in read_back.notes


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"names": ["F9"]}, "no fire named 'F9'"), ({"smallest_ha": 1e6}, "None of the 2 fires")],
)
def test_fires_that_are_not_there_cannot_be_asked_for(
    asked: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = write_geojson(
        tmp_path / "f.geojson", features(range(2), Ig_Date=day, Incid_Name=lambda number: f"F{number}")
    )
    with pytest.raises(BadInput, match=said):
        read(path, **asked)
