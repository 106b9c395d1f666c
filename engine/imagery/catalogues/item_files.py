"""Where the files of an item lie: the https address of an asset, and of the small picture of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

# Kinds of pictures that a browser draws, the roles that say so, and the names by which catalogues call them without one.
_DRAWN = ("image/jpeg", "image/jpg", "image/png")
_ROLES = frozenset({"thumbnail", "overview"})
_PICTURES = ("thumbnail", "browse", "rendered_preview")


def address_of(item: Mapping[str, Any], asset: Mapping[str, Any]) -> str:
    """The https address of an asset: its own, an alternate one, or that of its object in a public bucket."""
    own = next((link.get("href", "") for link in item.get("links") or () if link.get("rel") == "self"), "")
    href = str(asset.get("href") or "")
    if href.startswith(("http://", "https://")) or "://" not in href:
        return urljoin(own, href)
    for other in (asset.get("alternate") or {}).values():
        if isinstance(other, dict) and str(other.get("href", "")).startswith(("https://", "http://")):
            return str(other["href"])
    parts = urlsplit(href)
    return f"https://{parts.netloc}.s3.amazonaws.com{parts.path}" if parts.scheme == "s3" else href


def thumbnail_of(said: Mapping[str, Any]) -> str:
    """Address of the small picture that a browser can draw: what is called a thumbnail may be a GeoTIFF."""
    assets = [one for one in said["assets"].items() if isinstance(one[1], dict)]
    fit = [
        one
        for one in assets
        if _is_drawn(one[1]) and (_ROLES & set(one[1].get("roles") or ()) or one[0] in _PICTURES)
    ]
    first = min(
        fit,
        key=lambda one: "thumbnail" not in (one[1].get("roles") or ()) and one[0] not in _PICTURES,
        default=None,
    )
    return address_of(said, first[1]) if first else ""


def _is_drawn(asset: Mapping[str, Any]) -> bool:
    kind = str(asset.get("type") or "").partition(";")[0].strip().lower()
    return kind in _DRAWN or (
        not kind and str(asset.get("href") or "").lower().endswith((".jpg", ".jpeg", ".png"))
    )
