"""Accounts and signatures: what a request for a file carries so that its server gives it.

Logins come from the environment or from ~/.netrc, and go only to the hosts of their own kind of access; they appear in no
configuration, log, message or file. Tokens are kept in memory until shortly before they expire.
"""

from __future__ import annotations

import base64
import json
import netrc
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from engine.errors import RemoteError
from engine.imagery.remote.addresses import require_known
from engine.imagery.remote.http import Answer, Asked, ask
from engine.imagery.remote.settings import settings

AccessKind = Literal["open", "planetary-computer", "earthdata", "copernicus", "sentinel-hub"]
# A token is renewed this long before it ends, so that no request begins with one that is about to.
_EARLY_S = 60.0
_USUAL_S = 600.0
_MOST_TOKEN_BYTES = 100_000


@dataclass(frozen=True)
class Token:
    """What a service gave.

    Attributes:
        until: Unix seconds.
    """

    text: str
    until: float


@dataclass(frozen=True)
class Access:
    """One kind of access.

    Attributes:
        token_address: that gives tokens; a settings file may name another.
        hosts: suffixes of the hosts that may be given a token.
        wants: what a person sets for it, in words.
        ask_token: asks for a token, given the address and the file's address.
    """

    token_address: str
    hosts: tuple[str, ...]
    wants: str
    ask_token: Callable[[str, str], Token]


def signed(url: str, kind: AccessKind) -> tuple[str, dict[str, str]]:
    """The address and the headers by which a file is asked for.

    Raises:
        RemoteError: there is no login, or it is refused.
    """
    if kind == "open":
        return url, {}
    host, _ = require_known(url)
    access = _TABLE[kind]
    if kind not in settings().tokens and not any(
        host == one or host.endswith(f".{one}") for one in access.hosts
    ):
        return url, {}  # such as a picture that is drawn for everybody
    if kind == "planetary-computer":
        token = _token(kind, url, "/".join(_container(url)))
        return f"{url}{'&' if urlsplit(url).query else '?'}{token}", {}
    return url, {"Authorization": f"Bearer {_token(kind, url)}"}


def bearer(kind: AccessKind) -> str:
    """A token of a service that is asked for by itself.

    Raises:
        RemoteError: there is no login, or it is refused.
    """
    return _token(kind, "")


def forget(kind: AccessKind, used: str = "") -> None:
    """Drop tokens of an access that were refused: the next request asks for new ones.

    Args:
        used: the address and the headers of the refused request: a token that was renewed meanwhile is kept, so that readers
            that are refused together ask for one new token; "": all of them go.
    """
    with _lock:
        for key, held in list(_tokens.items()):
            if key[0] == kind and (not used or held.text in used):
                del _tokens[key]


def wants(kind: AccessKind) -> str:
    """What a person sets for an access; "" where nothing is needed."""
    return _TABLE[kind].wants if kind in _TABLE else ""


_tokens: dict[tuple[str, str], Token] = {}
_lock = threading.Lock()


def _token(kind: AccessKind, url: str, part: str = "") -> str:
    with _lock:
        held = _tokens.get((kind, part))
        if held is None or held.until - _EARLY_S < time.time():
            address = settings().tokens.get(kind, _TABLE[kind].token_address)
            held = _tokens[kind, part] = _TABLE[kind].ask_token(address, url)
        return held.text


def _container(url: str) -> tuple[str, str]:
    """Account and container of a blob's address."""
    parts = urlsplit(url)
    return (parts.hostname or "").split(".")[0], parts.path.strip("/").split("/")[0]


def _sas_token(address: str, url: str) -> Token:
    """A signature for the files of a container (Planetary Computer, SAS API)."""
    key = os.environ.get("PC_SDK_SUBSCRIPTION_KEY", "")
    headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
    said = _json(
        ask(Asked("/".join([address, *_container(url)]), headers=headers, most_bytes=_MOST_TOKEN_BYTES))
    )
    return Token(_text(said, "token"), _expiry(said.get("msft:expiry")))


def _earthdata_token(address: str, url: str) -> Token:
    """A token of Earthdata Login: given as one, or asked for with a user's name (EDL, "User tokens")."""
    del url
    given = os.environ.get("EARTHDATA_TOKEN", "").strip()
    if given:
        return Token(given, float("inf"))
    login = _login("EARTHDATA", "urs.earthdata.nasa.gov")
    if login is None:
        raise _no_login("earthdata")
    packed = base64.b64encode(":".join(login).encode()).decode()
    asked = Asked(address, "POST", {"Authorization": f"Basic {packed}"}, b"", _MOST_TOKEN_BYTES)
    return Token(_text(_json(ask(asked), "earthdata"), "access_token"), time.time() + 3600)


def _copernicus_token(address: str, url: str) -> Token:
    """A token of the Copernicus Data Space (its documentation, "Access token")."""
    del url
    given = os.environ.get("CDSE_TOKEN", "").strip()
    if given:
        return Token(given, float("inf"))
    login = _login("CDSE", "identity.dataspace.copernicus.eu")
    if login is None:
        raise _no_login("copernicus")
    form = {"client_id": "cdse-public", "grant_type": "password", "username": login[0], "password": login[1]}
    return _oauth_token(address, form, "copernicus")


def _sentinel_hub_token(address: str, url: str) -> Token:
    """A token of Sentinel Hub for an OAuth client (its documentation, "Authentication")."""
    del url
    name, secret = (os.environ.get(f"SH_CLIENT_{word}", "").strip() for word in ("ID", "SECRET"))
    if not name or not secret:
        raise _no_login("sentinel-hub")
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    return _oauth_token(address, form, "sentinel-hub")


def _oauth_token(address: str, form: Mapping[str, str], kind: AccessKind) -> Token:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    said = _json(ask(Asked(address, "POST", headers, urlencode(form).encode(), _MOST_TOKEN_BYTES)), kind)
    seconds = said.get("expires_in")
    lasts = float(seconds) if isinstance(seconds, int | float) else _USUAL_S
    return Token(_text(said, "access_token"), time.time() + lasts)


def _login(prefix: str, machine: str) -> tuple[str, str] | None:
    """A user's name and password, from the environment or ~/.netrc."""
    name, password = (os.environ.get(f"{prefix}_{word}", "") for word in ("USERNAME", "PASSWORD"))
    if name and password:
        return name, password
    try:
        found = netrc.netrc().authenticators(machine)
    except (OSError, netrc.NetrcParseError):
        return None
    return (found[0], found[2] or "") if found else None


def _no_login(kind: AccessKind) -> RemoteError:
    return RemoteError(f"The access {kind} needs an account, and there is no login. Set {wants(kind)}.")


def _json(answer: Answer, kind: AccessKind | None = None) -> dict[str, Any]:
    if answer.status in (400, 401, 403) and kind is not None:
        raise RemoteError(f"The access {kind} refused the login ({answer.status}). Check {wants(kind)}.")
    try:
        said = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        host = urlsplit(answer.url).hostname
        raise RemoteError(f"{host} gave no token (it answered {answer.status}). Try again later.")
    return said


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found or any(sign.isspace() for sign in found):
        raise RemoteError("The service that gives tokens answered without one. Try again later.")
    return found


def _expiry(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return time.time() + _USUAL_S


_TABLE: Mapping[AccessKind, Access] = MappingProxyType({
    "planetary-computer": Access(
        "https://planetarycomputer.microsoft.com/api/sas/v1/token", ("blob.core.windows.net",), "", _sas_token,
    ),
    "earthdata": Access(
        "https://urs.earthdata.nasa.gov/api/users/find_or_create_token",
        ("earthdatacloud.nasa.gov", "urs.earthdata.nasa.gov"),
        "EARTHDATA_TOKEN, or EARTHDATA_USERNAME and EARTHDATA_PASSWORD, or a line for urs.earthdata.nasa.gov in ~/.netrc",
        _earthdata_token,
    ),
    "copernicus": Access(
        "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token",
        ("download.dataspace.copernicus.eu", "zipper.dataspace.copernicus.eu"),
        "CDSE_USERNAME and CDSE_PASSWORD, or CDSE_TOKEN",
        _copernicus_token,
    ),
    "sentinel-hub": Access(
        "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token",
        ("services.sentinel-hub.com", "sh.dataspace.copernicus.eu"),
        "SH_CLIENT_ID and SH_CLIENT_SECRET",
        _sentinel_hub_token,
    ),
})  # fmt: skip
