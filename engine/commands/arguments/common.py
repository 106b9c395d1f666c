"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def add_set(sub: argparse.ArgumentParser) -> None:
    """Overrides of keys of a configuration."""
    sub.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="override a key; repeatable"
    )


def add_workspace(sub: argparse.ArgumentParser, whose: str) -> None:
    """The workspace that a command works in.

    Args:
        whose: what of it is meant, as the help says it.
    """
    sub.add_argument(
        "--workspace", default="", metavar="NAME", help=f"whose {whose} (default: the common one)"
    )


def add_region(sub: argparse.ArgumentParser, default: str, of: str = "") -> None:
    """A part of the ground.

    Args:
        default: what is meant without it.
        of: to what it applies, where not to all that the command takes.
    """
    sub.add_argument(
        "--region", metavar="W,S,E,N|FILE",
        help=f"{of}bounds in degrees, a polygon as WKT or GeoJSON, or a vector file with one (default: {default})",
    )  # fmt: skip
