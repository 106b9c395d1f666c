"""Only addresses that are allowed are asked, whatever names, redirects and logins are tried; none of it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.errors import RemoteError
from engine.imagery.remote import addresses, http
from tests.stac.bad import feature, refused, server
from tests.stac.range_server import RangeServer, range_server

__all__ = ["server"]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "::1", "fe80::1", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "100.64.0.1", "224.0.0.1"],
)  # fmt: skip
def test_a_known_name_that_leads_to_a_private_address_is_not_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    there = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: there)
    with pytest.raises(RemoteError, match="private network"):
        addresses.target_of("https://sentinel-cogs.s3.us-west-2.amazonaws.com/a.tif")


@pytest.mark.parametrize(
    ("url", "match"),
    [("https://example.org/a.tif", "not one that may be asked"), ("http://127.0.0.1:1/a.tif", "not https"),
     ("https://127.0.0.1/a.tif", "not one that may be asked"), ("https://2130706433/a.tif", "not one that may be asked"),
     ("file:///etc/passwd", "not https"), ("ftp://landsatlook.usgs.gov/a", "not https"), ("https://[::1/a", "not https"),
     ("http://earth-search.aws.element84.com/v1", "not https"), ("https://evil.earth-search.aws.element84.com/", "may be asked"),
     ("https://earth-search.aws.element84.com@example.org/", "carries a login"), ("", "not https")],
)  # fmt: skip
def test_addresses_that_are_not_allowed_are_not_asked(home: Path, url: str, match: str) -> None:
    with pytest.raises(RemoteError, match=match):
        addresses.target_of(url)


def test_a_redirect_passes_the_same_door_and_takes_no_login_along(server: RangeServer, home: Path) -> None:
    def to(place: str) -> None:
        server.fault = lambda handler: (
            handler.path == "/a" and (handler.answer(302, b"", {"Location": place}) or True)
        )

    to("http://127.0.0.1:1/secret")
    with pytest.raises(RemoteError, match="not https"):
        http.ask(http.Asked(f"{server.address}/a"))
    to("/a")
    with pytest.raises(RemoteError, match="redirects without end"):
        http.ask(http.Asked(f"{server.address}/a"))
    with range_server(server.folder) as other:
        settings = yaml.safe_load((home / "catalogues.yaml").read_text())
        settings["hosts"].append(other.host)
        (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
        to(f"{other.address}/red.tif")
        http.ask(http.Asked(f"{server.address}/a", headers={"Authorization": "Bearer mine"}))
        assert "Authorization" not in other.asked[0][2]


def test_a_login_in_an_address_is_refused_and_never_said(
    server: RangeServer, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    feature(server)["assets"]["red"]["href"] = f"http://someone:hunter2@{server.host}/red.tif"
    told = refused(home, "carries a login")
    assert "hunter2" not in told
    assert "hunter2" not in caplog.text
    kept = [path for path in home.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == [], "no file holds a login"
