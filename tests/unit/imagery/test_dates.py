"""Acquisition times are read from products' names and from tags in any ISO form; what is no time is told, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import SceneError
from engine.imagery.raster.dates import parse_time, tagged_time
from engine.imagery.raster.facts import Overrides
from engine.imagery.sensors.products import read_name
from engine.imagery.sources.raster_file import file_scene

WriteRaster = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("HLS.S30.T10TGS.2018285T185251.v2.0", "2018-10-12T18:52:51"),
        ("HLS.L30.T10TGS.2018285.v1.4_merged", "2018-10-12T00:00:00"),
        ("subsetted_512x512_HLS.S30.T10TGS.2020366.v1.4_merged", "2020-12-31T00:00:00"),
        ("S2B_MSIL2A_20220605T101559_N0400_R065_T32TPQ_20220605T131546", "2022-06-05T10:15:59"),
        ("T32TPQ_20220605T101559_B02_10m", "2022-06-05T10:15:59"),
        ("S2A_32TPQ_20220605_0_L2A", "2022-06-05T00:00:00"),
        ("LC08_L2SP_192029_20220605_20220616_02_T1_SR_B4", "2022-06-05T00:00:00"),
        ("LT05_L1TP_192029_19990605_20200908_02_T1_B4", "1999-06-05T00:00:00"),
        ("20230214_175134_34_2465_3B_AnalyticMS_SR_8b", "2023-02-14T17:51:34"),
        ("S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A_VV", "2018-01-28T16:12:01"),
        ("OPERA_L2_RTC-S1_T069-147170-IW1_20231010T124136Z_20231010T201510Z_S1A_30_v1.0_VV", "2023-10-10T12:41:36"),
        ("field 2021-05-03 north", "2021-05-03T00:00:00"),
    ],
)  # fmt: skip
def test_a_products_name_tells_when_it_was_taken(name: str, when: str) -> None:
    assert read_name(name).datetime == datetime.fromisoformat(when).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "HLS.L30.T10TGS.2018400.v1.4",
        "HLS.L30.T10TGS.2019366.v1.4",
        "LC08_L2SP_192029_20221301_20220616_02_T1",
        "S2B_MSIL2A_20220631T101559_N0400_R065_T32TPQ_20220605T131546",
        "20230230_175134_34_2465_3B_AnalyticMS_SR_8b",
        "1620036672000",
        "scene_99999999",
    ],
)
def test_a_name_whose_date_is_none_tells_none_and_never_that_of_the_processing(name: str) -> None:
    assert read_name(name).datetime is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2021-05-03", "2021-05-03T00:00:00"),
        ("20210503", "2021-05-03T00:00:00"),
        ("2021-123", "2021-05-03T00:00:00"),
        ("2021123T101112Z", "2021-05-03T10:11:12"),
        ("2021-W18-1", "2021-05-03T00:00:00"),
        ("2021-05-03T10:11", "2021-05-03T10:11:00"),
        ("2021-05-03 10:11:12", "2021-05-03T10:11:12"),
        ("2021-05-03T10:11:12 UTC", "2021-05-03T10:11:12"),
        ("20210503T101112Z", "2021-05-03T10:11:12"),
        ("2021-05-03T10:11:12.5Z", "2021-05-03T10:11:12.500000"),
        ("2021-05-03T10:11:12.123456789Z", "2021-05-03T10:11:12.123456"),
        ("2021-05-03T10:11:12+02:00", "2021-05-03T08:11:12"),
        ("20210503T101112.123+0530", "2021-05-03T04:41:12.123000"),
        ("2021-05-03T01:11:12+02:00", "2021-05-02T23:11:12"),
        ("2021-05-03T24:00:00Z", "2021-05-04T00:00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59"),
        ("2021-05-03T10:11:12Z; 2021-05-04T10:11:12Z", "2021-05-03T10:11:12"),
        ("2021-05-03T10:11:12Z, 2021-05-04T10:11:12Z", "2021-05-03T10:11:12"),
        ("2021-05-03T10:11:12.5Z/2021-05-03T10:12:00Z", "2021-05-03T10:11:12.500000"),
        ("1620036672000", "2021-05-03T10:11:12"),
    ],
)
def test_a_time_in_any_iso_form_is_read_as_utc(text: str, when: str) -> None:
    assert parse_time(text) == datetime.fromisoformat(when).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2021", "2021-05", "2021-13-01", "2021-02-30", "2021-400", "2021-05-03T25:00:00", "03/05/2021",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2021-05-03T10:11:12+99:00", "9999999999999", "1620036672"],
)  # fmt: skip
def test_what_is_no_time_is_none_and_told(text: str) -> None:
    assert parse_time(text) is None
    when, note = tagged_time({"sensing_time": text})
    assert when is None
    assert note == "" if not text else "SENSING_TIME is no time" in note


@given(st.text(max_size=60))
@example("²021-05-03")
@example("٢٠٢١-05-03")
@example("2021-05-03T10:11:12+00:00:00.5")
@example("999999999999")
def test_no_text_crashes_a_tag_or_a_name(text: str) -> None:
    for when in (parse_time(text), tagged_time({"datetime": text})[0], read_name(text, text).datetime):
        assert when is None or when.utcoffset() == timedelta(0)


@given(
    st.datetimes(datetime(1960, 1, 2), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
)  # fmt: skip
def test_any_moment_in_any_zone_comes_back(moment: datetime, minutes: int, sign: str) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(zoned.isoformat(sign)) == zoned


def test_a_tag_counts_before_the_name_and_a_broken_one_is_told(write_raster: WriteRaster) -> None:
    pixels = np.full((6, 8, 8), 900, np.int16)
    tagged = file_scene(write_raster("a_20200101.tif", pixels, SENSING_TIME="2021-05-03T01:11:12+02:00"))
    assert tagged.datetime == datetime(2021, 5, 2, 23, 11, 12, tzinfo=UTC)
    broken = file_scene(write_raster("b_20200101.tif", pixels, SENSING_TIME="2021-05-0"))
    assert broken.datetime == datetime(2020, 1, 1, tzinfo=UTC)
    assert any("SENSING_TIME is no time" in note for note in broken.notes)


def test_a_stated_time_beyond_the_calendar_is_refused(write_raster: WriteRaster) -> None:
    path = write_raster("a.tif", np.full((6, 8, 8), 900, np.int16))
    late = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))
    with pytest.raises(SceneError, match=r"scene\.datetime"):
        file_scene(path, Overrides(datetime=late))
