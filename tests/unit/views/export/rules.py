"""What the published conventions ask of a geoemb group and of STAC with the embeddings extension, written as JSON Schemas.

From the texts of geo-embeddings/embeddings-zarr-convention v1, zarr-conventions spatial v1 and geo-proj v1, and
geo-embeddings/embeddings-stac-specification 0.0.1: required keys, types and allowed words; keys of their prefix that they do
not name are refused. The schemas themselves are not kept here: their repositories state no licence. What they refer to, the
core of STAC, is taken from pystac, which brings it as of version 1.1.0 and so says another version than the extension asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from pystac.validation import local_validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_URI: Schema = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:\S+$"}
_PAIR: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}


def _closed(required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _convention(uuid: str, name: str, schema_url: str) -> Schema:
    """That a convention is registered, by what identifies it."""
    own = _closed(
        [],
        uuid={"const": uuid},
        name={"const": name},
        schema_url={"const": schema_url},
        spec_url=_URI,
        description=_TEXT,
    )
    return {"type": "array", "contains": {**own, "required": ["uuid"]}}


_RAW = "https://raw.githubusercontent.com"
GEOEMB: Schema = {
    "type": "object",
    "required": ["zarr_conventions", "geoemb:type", "geoemb:dimensions", "geoemb:model", "geoemb:source_data", "geoemb:data_type"],
    "properties": {
        "zarr_conventions": _convention(
            "61c12cc5-0e28-4056-999a-480cf3fb7e4c", "geoemb:", f"{_RAW}/geo-embeddings/embeddings-zarr-convention/refs/tags/v1/schema.json"
        ),
        "geoemb:type": {"enum": ["pixel", "chip"]},
        "geoemb:dimensions": {"type": "integer", "minimum": 1},
        "geoemb:model": _URI,
        "geoemb:source_data": {"type": "array", "items": _URI, "minItems": 1},
        "geoemb:data_type": _TEXT,
        "geoemb:gsd": {"type": "number", "exclusiveMinimum": 0},
        "geoemb:chip_layout": _closed(
            ["layout_type", "chip_size"], layout_type={"enum": ["regular_grid", "irregular"]}, chip_size=_PAIR, stride=_PAIR,
            grid_id=_TEXT, grid_definition=_URI,
        ),
        "geoemb:quantization": _closed(
            ["method", "original_dtype"], method=_TEXT, original_dtype=_TEXT, quantized_dtype=_TEXT, link=_URI,
            scale={"oneOf": [
                _closed(["type", "scale"], type={"const": "scalar"}, scale={"type": "number"}, offset={"type": "number"}),
                _closed(["type", "array_name"], type={"const": "array"}, array_name=_TEXT, nodata={"type": ["number", "string"]}),
            ]},
        ),
        "geoemb:spatial_layout": {"enum": ["utm_zones", "global"]},
        "geoemb:build_version": _TEXT,
        "geoemb:benchmark": {"type": "array", "items": _URI},
    },
    "patternProperties": {"^(?!geoemb:)": {}},
    "additionalProperties": False,
    "if": {"properties": {"geoemb:type": {"const": "chip"}}},
    "then": {"required": ["geoemb:chip_layout"]},
}  # fmt: skip
_SIX: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 6, "maxItems": 6}
PLACED: Schema = {
    "type": "object",
    "required": ["spatial:dimensions", "spatial:transform", "spatial:shape"],
    "allOf": [
        {"properties": {"zarr_conventions": _convention(
            "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "spatial", f"{_RAW}/zarr-conventions/spatial/refs/tags/v1/schema.json")}},
        {"properties": {"zarr_conventions": _convention(
            "f17cb550-5864-4468-aeb7-f3180cfb622f", "proj:", f"{_RAW}/zarr-conventions/geo-proj/refs/tags/v1/schema.json")}},
    ],
    "properties": {
        "spatial:dimensions": {"const": ["y", "x"]},
        "spatial:transform": _SIX,
        "spatial:shape": _PAIR,
        "spatial:bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "spatial:registration": {"enum": ["node", "pixel"]},
        "proj:code": {"type": "string", "pattern": "^[A-Z]+:[0-9]+$"},
        "proj:wkt2": _TEXT,
    },
    "oneOf": [{"required": ["proj:code"]}, {"required": ["proj:wkt2"]}],
}  # fmt: skip
# A group's own document, which is what the convention's schema is of.
GROUP: Schema = {
    "required": ["zarr_format", "node_type", "attributes"],
    "properties": {"zarr_format": {"type": "integer"}, "node_type": {"const": "group"}, "attributes": GEOEMB},
}
_STAC = "https://schemas.stacspec.org/v1.0.0/{kind}-spec/json-schema/{kind}.json"
_LINK: Schema = {"$ref": _STAC.format(kind="item") + "#/definitions/link"}
_ASSETS: Schema = {"type": "object", "additionalProperties": {"patternProperties": {"^emb:": False}}}
_EXTENSION: Schema = {
    "contains": {"const": "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"}
}


def _link(rel: str) -> Schema:
    return {
        "contains": {"allOf": [_LINK, {"required": ["rel"], "properties": {"rel": {"const": rel}}}]},
    }


STAC_COLLECTION: Schema = {
    "allOf": [{"$ref": _STAC.format(kind="collection")}],
    "required": ["type", "stac_extensions", "emb:type", "emb:dimensions", "data_type", "links"],
    "properties": {
        "type": {"const": "Collection"}, "stac_version": {"const": "1.0.0"}, "stac_extensions": _EXTENSION,
        "links": {"allOf": [_link("emb:model"), _link("emb:source-data")]},
        "emb:type": {"enum": ["pixel", "chip"]}, "emb:dimensions": {"type": "integer", "minimum": 1}, "data_type": _TEXT,
        "gsd": {"type": "number"},
        "emb:chip_layout": _closed(
            ["layout_type"], layout_type={"enum": ["regular_grid", "variable_grid", "named_grid"]}, chip_size=_PAIR, stride=_PAIR,
        ),
        "assets": _ASSETS, "item_assets": _ASSETS,
    },
    "patternProperties": {"^(?!emb:)": {}},
    "additionalProperties": False,
}  # fmt: skip
_NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}
STAC_ITEM: Schema = {
    "allOf": [{"$ref": _STAC.format(kind="item")}],
    "required": ["type", "stac_extensions", "properties", "assets"],
    "properties": {
        "type": {"const": "Feature"}, "stac_version": {"const": "1.0.0"}, "stac_extensions": _EXTENSION,
        "assets": {**_ASSETS, "required": ["embeddings"]},
        "properties": {
            "required": ["datetime"],
            "properties": {
                "emb:runtime_parameters": {"type": "object"},
                "emb:quantization": _closed(
                    ["method", "original_dtype"], method=_TEXT, original_dtype=_TEXT, quantized_dtype=_TEXT, scale=_NUMBERS, offset=_NUMBERS,
                ),
            },
            "patternProperties": {"^(?!emb:)": {}},
            "additionalProperties": False,
        },
    },
}  # fmt: skip


def require_group(document: Mapping[str, Any]) -> None:
    """Hold the zarr.json of a group to the convention."""
    Draft202012Validator(GROUP).validate(document)


def require_stac(document: Mapping[str, Any]) -> None:
    """Hold a collection or an item to the core of STAC and to the extension."""
    schema = STAC_COLLECTION if document["type"] == "Collection" else STAC_ITEM
    Draft7Validator(schema, registry=_core()).validate(document)


@cache
def _core() -> Registry[Any]:
    """STAC's core as of the version that the extension refers to."""
    registry: Registry[Any] = Registry()
    for uri, schema in local_validator.get_local_schema_cache().items():
        of_1_0_0 = json.loads(json.dumps(schema).replace("1.1.0", "1.0.0"))
        resource = Resource.from_contents(of_1_0_0, default_specification=DRAFT7)
        registry = registry.with_resource(uri.replace("1.1.0", "1.0.0"), resource)
    return registry
