"""The arguments of the commands that show what backbones see."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from engine.commands.arguments.common import add_region, add_workspace
from engine.commands.stores import comparing, views

Add = Callable[..., argparse.ArgumentParser]
_POSITIONS = ("keep", "remove")


def add_pictures(add: Add) -> None:
    """The commands that show what backbones see."""
    sub = add("pca", views.pca, "Write the PCA colours of a store as a GeoTIFF.", "store")
    _add_view(sub, "gets a colour")
    sub.add_argument(
        "--basis", metavar="STORE", help="use the components of another store of the same backbone and layer"
    )
    sub = add("cluster", views.cluster, "Write clusters of a store's embeddings as a GeoTIFF.", "store")
    _add_view(sub, "is clustered")
    sub.add_argument("--clusters", type=int, default=8, metavar="K", help="how many (default: 8)")
    sub.add_argument("--seed", type=int, default=0, help="of the first centres (default: 0)")
    _add_film(add)
    sub = add(
        "umap",
        views.umap,
        "Lay out some patches of a store in a plane (UMAP), and keep it beside the store.",
        "store",
    )
    sub.add_argument("--out", metavar="FILE", help="the patches with their points as a table: .parquet")
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub.add_argument(
        "--date", help="first, last or a day, where a store has several dates of the same ground"
    )
    sub.add_argument(
        "--window", type=int, help="patches along a side whose mean is laid out (default: about 16 px)"
    )
    sub.add_argument("--patches", type=int, metavar="N", help="how many, evenly spread (default: 10000)")
    sub.add_argument(
        "--neighbours", type=int, metavar="K", help="nearest patches that stay near (default: 15)"
    )
    sub.add_argument(
        "--min-distance", type=float, metavar="D", help="how close points may lie (default: 0.1)"
    )
    sub.add_argument("--seed", type=int, help="of the layout (default: 0)")
    add_position(sub)
    sub = add("similar", comparing.similar, "Rank patches by how much they are like some.", "store")
    sub.add_argument(
        "--patch", nargs="+", action="extend", default=[], metavar="TILE/ROW/COL", help="patches to be like"
    )
    sub.add_argument(
        "--at", nargs="+", action="extend", default=[], metavar="LON,LAT", help="places of patches to be like"
    )
    sub.add_argument(
        "--against",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATCH",
        help="patches or places to be unlike",
    )
    sub.add_argument(
        "--stores", nargs="+", action="extend", default=[], help="more stores of the same backbone to look in"
    )
    sub.add_argument("--top", type=int, default=100, metavar="N", help="patches to find (default: 100)")
    sub.add_argument(
        "--out", nargs="+", action="extend", default=[], metavar="FILE",
        help="the similarity of every patch (.tif, one a store), the patches that were found (.parquet)",
    )  # fmt: skip
    _add_views(sub)
    sub = add(
        "change",
        comparing.change,
        "Write how far the embeddings of two dates lie apart, as a map, a picture or polygons.",
        "before",
    )
    sub.add_argument("after", nargs="?", help="the later store (default: another date of the first one)")
    sub.add_argument(
        "--out", nargs="+", action="extend", default=[], metavar="FILE",
        help="distances (.tif), a picture with legend (.png), polygons above the threshold (.gpkg, .parquet, .geojson)",
    )  # fmt: skip
    sub.add_argument(
        "--distance",
        choices=("cosine", "euclidean"),
        default="cosine",
        help="what is drawn and cut (default: cosine)",
    )
    sub.add_argument(
        "--threshold", type=float, metavar="D", help="of polygons (default: what 5 %% of the ground exceed)"
    )
    sub.add_argument(
        "--smallest-ha", type=float, default=0.0, metavar="HA", help="leave out smaller polygons (default: 0)"
    )
    _add_views(sub)
    sub = add(
        "compare",
        comparing.compare,
        "Measure how alike 2 to 4 stores are, and give them colours that mean the same.",
    )
    sub.add_argument("stores", nargs="+", help="of the same ground; one twice to compare its layers or dates")
    sub.add_argument("--out", help="a folder for a GeoTIFF a store in colours turned onto those of the first")
    sub.add_argument(
        "--labels", metavar="scene|RASTER",
        help="score a linear probe and k nearest neighbours with labels: the scenes' masks, or a raster",
    )  # fmt: skip
    sub.add_argument(
        "--classes",
        nargs="+",
        action="extend",
        default=[],
        metavar="VALUE=NAME",
        help="of the labels (default: burnt or not)",
    )
    _add_views(sub, (*_POSITIONS, "auto"))
    sub = add("health", views.health, "Measure what a store's embeddings tell of, layer by layer.", "store")
    sub.add_argument(
        "--shift",
        action="store_true",
        help="also encode some tiles again, shifted by a pixel, and measure what moves",
    )
    sub.add_argument(
        "--device", default="auto", help="for --shift: auto, cpu, cuda, cuda:1, mps (default: auto)"
    )
    add_position(sub)


def _add_film(add: Add) -> None:
    sub = add(
        "film",
        views.film,
        "Write the dates of a series as an animated file: its imagery, or its embeddings in common colours.",
    )
    sub.add_argument(
        "sources", nargs="+", metavar="YAML|STORE",
        help="a configuration whose scene is a series (imagery), or stores: one of several dates, or one a date (PCA)",
    )  # fmt: skip
    sub.add_argument("--out", required=True, help="the film: .webp, .gif or .png (APNG)")
    sub.add_argument(
        "--seconds", type=float, default=1.0, metavar="S", help="each date is shown (default: 1)"
    )
    sub.add_argument(
        "--bands",
        metavar="R,G,B",
        help="of imagery: three bands, or one (default: those that show fresh scars)",
    )
    add_region(sub, "the region of YAML, else all", "of imagery: ")
    add_workspace(sub, "simulated scenes are meant")
    sub.add_argument("--layer", type=int, help="of stores: the layer (default: the first one's first)")
    _add_look(sub, "gets a colour")


def _add_view(sub: argparse.ArgumentParser, what_happens: str) -> None:
    """The arguments of a picture: where to, which layer, and how it is looked at."""
    sub.add_argument("--out", required=True)
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub.add_argument(
        "--date",
        help="first, last or a day, where a store has several dates of the same ground (default: last)",
    )
    _add_look(sub, what_happens)


def _add_views(sub: argparse.ArgumentParser, positions: Sequence[str] = _POSITIONS) -> None:
    """The arguments of several pictures: one layer and date a store, and how all are looked at."""
    sub.add_argument(
        "--layers",
        type=int,
        nargs="+",
        action="extend",
        metavar="N",
        help="one layer a store, or one for all (default: their first)",
    )
    sub.add_argument(
        "--dates", nargs="+", action="extend", metavar="DATE",
        help="first, last or a day (2021-03-18), one a store, where a store has several dates of the same ground",
    )  # fmt: skip
    _add_look(sub, "is compared", positions)


def _add_look(sub: argparse.ArgumentParser, what_happens: str, positions: Sequence[str] = _POSITIONS) -> None:
    sub.add_argument(
        "--window",
        type=int,
        help=f"patches along a side whose mean {what_happens}, odd (default: about 16 px)",
    )
    add_position(sub, positions)
    sub.add_argument(
        "--windows", choices=("whole", "all"), default="whole",
        help="fit on rows whose window was whole, or on all rows with data (default: whole)",
    )  # fmt: skip


def add_position(sub: argparse.ArgumentParser, positions: Sequence[str] = _POSITIONS) -> None:
    more = "; auto: of the stores where it shows, as on the Compare page" if "auto" in positions else ""
    sub.add_argument(
        "--position", choices=tuple(positions), default="keep",
        help=f"remove: take off the mean of each place in the window{more} (default: keep)",
    )  # fmt: skip
