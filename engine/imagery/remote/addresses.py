"""Which addresses may be asked over the network: https of known hosts, and never this machine or its private network.

The name is resolved here, its addresses are checked, and the connection goes to the address that was checked: a name
that changes its address between the check and the request (DNS rebinding) reaches nothing. Redirects pass the same door.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from engine.errors import RemoteError
from engine.imagery.remote.settings import FILE, settings

# Hosts of the catalogues in the table, of their files, their signatures and their logins. Object stores are named by
# the account or bucket, for anybody may rent one beside it.
_KNOWN = (
    "earth-search.aws.element84.com", "sentinel-cogs.s3.us-west-2.amazonaws.com",
    "e84-earth-search-sentinel-data.s3.us-west-2.amazonaws.com", "copernicus-dem-30m.s3.amazonaws.com",
    "copernicus-dem-30m.s3.eu-central-1.amazonaws.com", "landsatlook.usgs.gov",
    "planetarycomputer.microsoft.com", "sentinel2l2a01.blob.core.windows.net", "landsateuwest.blob.core.windows.net",
    "hls2euwest.blob.core.windows.net", "sentinel1euwestrtc.blob.core.windows.net", "elevationeuwest.blob.core.windows.net",
    "cmr.earthdata.nasa.gov", "data.lpdaac.earthdatacloud.nasa.gov", "urs.earthdata.nasa.gov",
    "d1nklfio7vscoe.cloudfront.net", "lp-prod-protected.s3.us-west-2.amazonaws.com",
    "stac.dataspace.copernicus.eu", "identity.dataspace.copernicus.eu", "download.dataspace.copernicus.eu",
    "zipper.dataspace.copernicus.eu", "datahub.creodias.eu", "sh.dataspace.copernicus.eu", "services.sentinel-hub.com", "nominatim.openstreetmap.org",
    "data.source.coop", "dl2.geotessera.org",  # embeddings: engine/store/catalogues/table.py
)  # fmt: skip
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Target:
    """Where a request goes.

    Attributes:
        host: as the certificate names it.
        addresses: resolved and checked; one of them is connected to.
        path: with the query.
    """

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]
    path: str

    @property
    def host_header(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def shown(url: str) -> str:
    """An address as messages and logs show it: without a query or a login, which may be secrets."""
    parts = _split(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:300]


def target_of(url: str) -> Target:
    """The checked target of an address.

    Raises:
        RemoteError: not https, not a host that may be asked, or one with an address that is not public.
    """
    parts = _split(url)
    require_no_login(url)
    host, port = require_known(url)
    found = tuple(dict.fromkeys(_resolved(host, port)))
    if not _is_named(host, port) and not all(_is_public(address) for address in found):
        raise RemoteError(
            f"The host {host} leads to an address of this machine or of a private network, which is not asked. "
            f"Add {host}:{port} to the hosts of {FILE} if it is your own catalogue."
        )
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return Target(parts.scheme, host, port, found, path)


def require_no_login(url: str) -> None:
    """Refuse an address with a login before it is asked, or written into a file.

    Raises:
        RemoteError: it has one.
    """
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise RemoteError(
            f"The address {shown(url)} carries a login. Keep it out of addresses: accounts come from the environment only."
        )


def require_known(url: str) -> tuple[str, int]:
    """The host and port of an address that may be asked, without resolving its name.

    Raises:
        RemoteError: not https, or not a host that may be asked.
    """
    parts = _split(url)
    host, port = (parts.hostname or "").rstrip(".").lower(), _port(parts)
    if parts.scheme not in _PORTS or not host or (parts.scheme == "http" and not _is_named(host, port)):
        raise RemoteError(
            f"The address {shown(url)} is not https. Only https is asked, and http of hosts that {FILE} names."
        )
    if host not in _KNOWN and not any(_fits(host, port, pattern) for pattern in _configured()):
        raise RemoteError(
            f"The host {host} is not one that may be asked. Add it to the hosts of {FILE} if you trust it."
        )
    return host, port


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return SplitResult("", "", "", "", "")


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return 0


def _configured() -> tuple[str, ...]:
    return tuple(one.strip().lower() for one in settings().hosts)


def _fits(host: str, port: int, pattern: str) -> bool:
    if pattern in (host, f"{host}:{port}", f"[{host}]:{port}"):
        return True
    return pattern.startswith("*.") and port in _PORTS.values() and fnmatch.fnmatchcase(host, pattern)


def _is_named(host: str, port: int) -> bool:
    """Whether the settings name this very host, so that it may also be a private one."""
    return any(not pattern.startswith("*") and _fits(host, port, pattern) for pattern in _configured())


def _resolved(host: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as err:
        raise RemoteError(
            f"The host {host} cannot be found. Check the network; what is in the cache stays usable."
        ) from err


def _is_public(address: str) -> bool:
    """Whether an address is of the public internet, also where an IPv6 address holds an IPv4 one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
    return found.is_global and not found.is_multicast
