"""A layer as a STAC collection with the embeddings extension: an item a map, its asset `embeddings` a Cloud-Optimised GeoTIFF.

Fields: STAC 1.0.0 and the extension `emb` 0.0.1, whose schema asks for that version of the core.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rasterio
import shapely
from rasterio.warp import transform_bounds

from engine.files import slug
from engine.store.emb_footer import date_range, model_address, warnings_of
from engine.store.schema import StoredTile, StoreMeta
from engine.views.export.asked import Export, Made, notice_of, own_facts
from engine.views.export.geoparquet import outlines_of_tiles
from engine.views.export.geotiff import maps, write_maps
from engine.views.export.map_steps import alphaearth_steps
from engine.views.export.quantisation import Loss
from engine.views.export.zarr_store import source_address

STAC_VERSION = "1.0.0"
EXTENSION = "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
COLLECTION = "collection.json"
# A licence by its SPDX identifier; STAC 1.0.0 has this word for anything else.
_NOT_SPDX = "proprietary"
_IS_WORD = re.compile(r"[A-Za-z0-9.+-]+")
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def write_stac(asked: Export) -> Made:
    """Write collection.json and, in a folder an item, its GeoTIFF and its JSON.

    Raises:
        StoreError: as `write_maps`.
    """
    asked.out.mkdir()
    name = slug(f"{asked.store.meta.backbone}-layer-{asked.layer}", "._-").strip("-").lower()
    ids = {suffix: f"{name}{suffix}" for suffix in maps(asked.store.tiles)}
    paths = {suffix: asked.out / one / f"{one}.tif" for suffix, one in ids.items()}
    for path in paths.values():
        path.parent.mkdir()
    made = write_maps(asked, paths)
    items = [
        _item(
            asked,
            ids[suffix],
            paths[suffix],
            [tile for tile in asked.store.tiles if tile.id in chosen],
            name,
            made.loss,
        )
        for suffix, chosen in maps(asked.store.tiles).items()
    ]
    for item in items:
        _write(asked.out / item["id"] / f"{item['id']}.json", item)
    own = own_facts(asked.meta, asked.store.tiles)
    files = {
        tile: f"{ids[suffix]}/{ids[suffix]}.tif"
        for suffix, chosen in maps(asked.store.tiles).items()
        for tile in chosen
    }
    _write(asked.out / COLLECTION, {**_collection(asked, name, items), "emberscope": {**own, "files": files}})
    return Made((asked.out,), made.notes, made.loss, made.round_trip)


def _write(path: Path, tree: dict[str, Any]) -> None:
    path.write_text(json.dumps(tree, indent=1), encoding="utf-8")


def _item(
    asked: Export, name: str, path: Path, tiles: Sequence[StoredTile], collection: str, loss: Loss | None
) -> dict[str, Any]:
    meta = asked.store.meta
    with rasterio.open(path) as dataset:
        bounds = transform_bounds(dataset.crs, "OGC:CRS84", *dataset.bounds, densify_pts=21)
        code, shape, affine = (
            dataset.crs.to_epsg(),
            [dataset.height, dataset.width],
            list(dataset.transform[:6]),
        )
        crs = (
            {"proj:code": f"EPSG:{code}"}
            if code
            else {"proj:code": None, "proj:wkt2": dataset.crs.to_wkt(version="WKT2_2019")}
        )
        scales = list(dataset.scales)
    return {
        "type": "Feature", "stac_version": STAC_VERSION, "stac_extensions": [EXTENSION, _PROJECTION], "id": name,
        "collection": collection, "bbox": [*bounds], "geometry": json.loads(shapely.to_geojson(_around(bounds))),
        "properties": {
            **_times(tiles), "gsd": meta.gsd_m, **crs, "proj:shape": shape,
            "proj:transform": affine, **_quantization(asked, scales, loss),
            "emb:runtime_parameters": {"backbone": meta.backbone, "layer": asked.layer, "weights_sha256": meta.weights_sha256,
                                       "bands": list(meta.bands), "is_simulated": meta.is_simulated, "is_random": meta.is_random},
            "description": notice_of(meta),
        },
        "links": [
            {"rel": "collection", "href": f"../{COLLECTION}", "type": "application/json"},
            {"rel": "root", "href": f"../{COLLECTION}", "type": "application/json"},
            {"rel": "parent", "href": f"../{COLLECTION}", "type": "application/json"},
            {"rel": "emb:source-data", "href": source_address(meta.source), "title": meta.source or "not stated"},
        ],
        "assets": {"embeddings": {"href": f"./{path.name}", "type": _COG, "roles": ["data"], "title": f"{asked.dim} bands, one a dimension"}},
    }  # fmt: skip


def _collection(asked: Export, name: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    meta, tile = asked.store.meta, asked.store.tiles[0]
    around = outlines_of_tiles(asked.store.tiles).total_bounds
    is_pixel = meta.granularity == "patch" and meta.patch_px == 1
    layout = {"layout_type": "regular_grid", "chip_size": [tile.height_px // tile.h, tile.width_px // tile.w]}
    return {
        "type": "Collection", "stac_version": STAC_VERSION, "stac_extensions": [EXTENSION], "id": name,
        "title": _title(meta, asked.layer), "description": notice_of(meta), "license": meta.licence if _IS_WORD.fullmatch(meta.licence) else _NOT_SPDX,
        "keywords": ["embeddings", *(["simulated"] if meta.is_simulated else []), *(["random weights"] if meta.is_random else [])],
        "providers": [{"name": meta.attribution}] if meta.attribution else [],
        "extent": {"spatial": {"bbox": [around]}, "temporal": {"interval": [list(_utc_range(asked.store.tiles))]}},
        "emb:type": "pixel" if is_pixel else "chip", "emb:dimensions": asked.dim, "data_type": asked.dtype, "gsd": meta.gsd_m,
        **({} if is_pixel else {"emb:chip_layout": layout}),
        "item_assets": {"embeddings": {"type": _COG, "roles": ["data"]}},
        "links": [
            {"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"},
            {"rel": "emb:model", "href": model_address(meta.backbone), "title": meta.backbone},
            {"rel": "emb:source-data", "href": source_address(meta.source), "title": meta.source or "not stated"},
            *({"rel": "item", "href": f"./{item['id']}/{item['id']}.json", "type": "application/geo+json"} for item in items),
        ],
    }  # fmt: skip


def _title(meta: StoreMeta, layer: int) -> str:
    first = [words.split(":")[0] for words in warnings_of(meta)]
    return " · ".join([*first, f"Embeddings of {meta.backbone}, layer {layer}"])


def _times(tiles: Sequence[StoredTile]) -> dict[str, str | None]:
    """The date of an item, or its first and last; STAC asks for one, and 1970 to now stands where none is known."""
    first, last = _utc_range(tiles)
    if first is None or last is None:
        return {"datetime": None, "start_datetime": "1970-01-01T00:00:00Z", "end_datetime": _utc(datetime.now(UTC).isoformat()),
                "emberscope:datetime": "not stated"}  # fmt: skip
    if first == last:
        return {"datetime": first}
    return {"datetime": None, "start_datetime": first, "end_datetime": last}


def _utc_range(tiles: Sequence[StoredTile]) -> tuple[str | None, str | None]:
    first, last = date_range(tiles)
    return (None, None) if first is None or last is None else (_utc(first), _utc(last))


def _utc(moment: str) -> str:
    found = datetime.fromisoformat(moment)
    return (
        (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def _quantization(asked: Export, scales: Sequence[float], loss: Loss | None) -> dict[str, Any]:
    if asked.dtype != "int8" or loss is None:
        return {}
    if loss.method == alphaearth_steps().method:
        told = {"method": loss.method, "original_dtype": "int8", "quantized_dtype": "int8"}
        return {"emb:quantization": told, "emberscope:quantisation_loss": loss.facts()}
    told = {"method": "linear, one scale a dimension, in the file", "original_dtype": asked.store.meta.dtype, "quantized_dtype": "int8"}  # fmt: skip
    return {"emb:quantization": {**told, "scale": list(scales)}, "emberscope:quantisation_loss": loss.facts()}


def _around(bounds: Sequence[float]) -> shapely.Geometry:
    """The box; two of them across the antimeridian."""
    west, south, east, north = bounds
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])
