"""Whose names of columns a file of fire perimeters has: where each publisher states dates and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_DBF_NAME = 10  # dBASE keeps ten letters of a column's name, so a shapefile does


@dataclass(frozen=True)
class Publisher:
    """Columns of a publisher, in the order in which they are looked for.

    Attributes:
        told_by: columns that nobody else has: one of them tells the publisher.
        starts: the day that a fire began; ends: that of its perimeter, or of its containment.
    """

    name: str
    title: str
    told_by: tuple[str, ...]
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    names: tuple[str, ...]


PUBLISHERS = (
    # WFIGS Interagency Perimeters and Interagency Fire Perimeter History, data-nifc.opendata.arcgis.com, field lists.
    Publisher(
        "nifc", "NIFC (WFIGS)",
        ("poly_IncidentName", "attr_FireDiscoveryDateTime", "attr_IncidentName", "irwin_FireDiscoveryDateTime", "poly_PolygonDateTime", "DATE_CUR"),
        ("attr_FireDiscoveryDateTime", "irwin_FireDiscoveryDateTime", "FireDiscoveryDateTime"),
        ("attr_ContainmentDateTime", "irwin_ContainmentDateTime", "attr_ControlDateTime", "attr_FireOutDateTime",
         "poly_PolygonDateTime", "poly_DateCurrent", "DATE_CUR"),
        ("poly_IncidentName", "attr_IncidentName", "IncidentName", "INCIDENT"),
    ),
    # MTBS Burned Areas Boundaries, mtbs.gov, attribute table: the ignition alone.
    Publisher("mtbs", "MTBS", ("Ig_Date", "Incid_Name", "BurnBndAc"), ("Ig_Date",), (), ("Incid_Name", "Fire_Name", "Event_ID")),
    # EFFIS burnt areas (ms:modis.ba.poly), and its successor's application programming interface.
    Publisher(
        "effis", "EFFIS", ("FIREDATE", "initialdate"), ("FIREDATE", "initialdate"), ("finaldate", "LASTUPDATE", "lastfiredate"),
        ("place_name", "COMMUNE", "PROVINCE", "id"),
    ),
    # Copernicus EMS Rapid Mapping, vector package (observedEventA): dates stand in another table, if anywhere.
    Publisher("ems", "Copernicus EMS", ("obj_desc", "event_type", "det_method", "dmg_src_id", "or_src_id"),
              ("event_date", "event_time"), ("obs_date", "src_date"), ("locality", "map_name")),
    # CAL FIRE FRAP fire perimeters, data dictionary.
    Publisher("calfire", "CAL FIRE (FRAP)", ("ALARM_DATE", "CONT_DATE"), ("ALARM_DATE",), ("CONT_DATE",), ("FIRE_NAME",)),
)  # fmt: skip
OTHER = Publisher(
    "other", "an unknown publisher", (),
    ("fire_date", "start_date", "startdate", "ignition_date", "ig_date", "begin", "date"),
    ("end_date", "enddate", "last_date", "end"), ("fire_name", "firename", "name", "title"),
)  # fmt: skip


def publisher_of(columns: Sequence[str], named: str) -> Publisher:
    """The publisher that a configuration names, or whose columns these are; `OTHER` where nothing tells.

    Args:
        named: "auto", or a name of the table.
    """
    if named != "auto":
        return next((one for one in PUBLISHERS if one.name == named), OTHER)
    return next((one for one in PUBLISHERS if any(column_of(columns, own) for own in one.told_by)), OTHER)


def column_of(columns: Sequence[str], wanted: str) -> str | None:
    """The column of a name, whatever its capitals, also where a shapefile has cut it."""
    plain = {column.lower(): column for column in columns}
    short = wanted.lower()[:_DBF_NAME]
    if wanted.lower() in plain:
        return plain[wanted.lower()]
    return plain.get(short) if len(wanted) > _DBF_NAME else None
