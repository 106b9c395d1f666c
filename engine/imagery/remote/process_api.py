"""Sentinel Hub's process API: pictures of a rectangle made on its servers, for those with an account.

The account comes from the environment (SH_CLIENT_ID, SH_CLIENT_SECRET) and stands in no configuration, log or message.
Source of the request's form: Sentinel Hub, "Process API reference".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.errors import RemoteError
from engine.imagery.remote import access
from engine.imagery.remote.addresses import shown
from engine.imagery.remote.http import Answer, Asked, ask
from engine.imagery.remote.settings import settings

ADDRESS = "https://services.sentinel-hub.com/api/v1/process"
# What one request may ask for along a side, in pixels.
MOST_PX = 2500
_MOST_BYTES = 400_000_000
# Reflectance as numbers of 1/10000, and 0 where there is no data, as Sentinel-2's own products have it.
_SCRIPT = """//VERSION=3
function setup() {{
  return {{input: [{{bands: {bands}, units: "REFLECTANCE"}}], output: {{bands: {count}, sampleType: "UINT16"}}}};
}}
function evaluatePixel(s) {{
  return s.dataMask ? [{values}].map((v) => Math.max(1, Math.round(v * 10000))) : new Array({count}).fill(0);
}}
"""


@dataclass(frozen=True)
class Picture:
    """What is asked for.

    Attributes:
        collection: such as sentinel-2-l2a.
        codes: bands, in the order of the file that comes.
        bounds_m, epsg: the rectangle; width and height in pixels.
        mosaicking: which of several scenes counts: leastCC, mostRecent or leastRecent.
    """

    collection: str
    codes: tuple[str, ...]
    bounds_m: tuple[float, float, float, float]
    epsg: int
    width: int
    height: int
    first: date
    last: date
    most_cloud_pct: float = 100.0
    mosaicking: str = "leastCC"


def fetch_picture(picture: Picture) -> bytes:
    """A GeoTIFF of reflectance times 10000, 0 where there is no data, a band a code.

    Raises:
        RemoteError: no account, refused, or no GeoTIFF came.
    """
    answer = asked_with_account(address(), request_of(picture), "image/tiff", _MOST_BYTES)
    if answer.status != 200 or answer.body[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise RemoteError(
            f"Sentinel Hub ({shown(address())}) made no picture of {picture.first} to {picture.last}: {why(answer)}"
        )
    return answer.body


def address() -> str:
    """Of the process API."""
    return settings().services.get("sentinel-hub", ADDRESS)


def asked_with_account(url: str, body: Mapping[str, object], accept: str, most_bytes: int) -> Answer:
    """The answer to a request with the account's token, which is renewed once where it ended early.

    Raises:
        RemoteError: there is no account, or no complete answer.
    """
    for is_last in (False, True):
        headers = {
            "Authorization": f"Bearer {access.bearer('sentinel-hub')}",
            "Content-Type": "application/json",
            "Accept": accept,
        }
        answer = ask(Asked(url, "POST", headers, json.dumps(body).encode(), most_bytes))
        if answer.status != 401 or is_last:
            return answer
        access.forget("sentinel-hub", str(headers))
    raise AssertionError


def request_of(picture: Picture) -> dict[str, object]:
    """The request's body.

    Raises:
        RemoteError: more pixels than one request may ask for.
    """
    if max(picture.width, picture.height) > MOST_PX:
        raise RemoteError(
            f"Sentinel Hub makes pictures of at most {MOST_PX} pixels along a side; {picture.width} x {picture.height} were asked for. "
            f"Ask for a smaller rectangle, or coarser pixels."
        )
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{picture.epsg}"
    return {
        "input": {
            "bounds": {"bbox": list(picture.bounds_m), "properties": {"crs": crs}},
            "data": [{
                "type": picture.collection,
                "dataFilter": {
                    "timeRange": {"from": f"{picture.first}T00:00:00Z", "to": f"{picture.last}T23:59:59Z"},
                    "maxCloudCoverage": picture.most_cloud_pct, "mosaickingOrder": picture.mosaicking,
                },
            }],
        },
        "output": {
            "width": picture.width, "height": picture.height,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
        "evalscript": _script(picture.codes),
    }  # fmt: skip


def _script(codes: Sequence[str]) -> str:
    return _SCRIPT.format(
        bands=json.dumps([*codes, "dataMask"]),
        count=len(codes),
        values=", ".join(f"s.{code}" for code in codes),
    )


def why(answer: Answer) -> str:
    """What its answer says, on one line."""
    if answer.status in (401, 403):
        return f"it refused the login ({answer.status}). Check {access.wants('sentinel-hub')}."
    try:
        said = json.loads(answer.body)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = "no GeoTIFF came" if answer.status == 200 else "it gave no reason"
    return f"it answered {answer.status} ({' '.join(str(said).split())[:160]}). Try again later."
