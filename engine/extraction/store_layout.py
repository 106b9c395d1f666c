"""What a store records of a plan: its tiles, its columns and its metadata."""

from __future__ import annotations

from engine.backbones.core.spec import BackboneSpec
from engine.extraction.plan import Plan
from engine.imagery.scene import Scene, fingerprint
from engine.imagery.sensors.table import HLS_SENSORS
from engine.imagery.tiles.windows import PlannedTile
from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, column_names


def store_meta(plan: Plan, weights_sha256: str) -> StoreMeta:
    """The meta of the store that a plan fills."""
    sources = sorted({scene.source for scene in plan.scenes if scene.source})
    return StoreMeta(
        schema_version=SCHEMA_VERSION,
        backbone=plan.spec.name,
        weights_sha256=weights_sha256,
        layers=plan.layers,
        dims=dims_of(plan),
        columns=column_names(plan.layers),
        granularity=plan.granularity,
        pooling=plan.pooling,
        patch_px=max(item.tile.height for item in plan.tiles) if plan.has_row_a_tile else plan.cell_px,
        gsd_m=plan.tiles[0].tile.gsd_m,
        dtype=plan.dtype,
        bands=plan.bands,
        is_simulated=any(scene.is_simulated for scene in plan.scenes),
        source="; ".join(sources),
        config_hash=plan.config_hash,
        config=dict(plan.config),
        scene_fingerprints=tuple(fingerprint(scene) for scene in plan.scenes),
        sensor=", ".join(sorted({_sensor_name(scene) for scene in plan.scenes})),
        level=", ".join(sorted({scene.level for scene in plan.scenes if scene.level is not None})),
        has_window_fraction=True,
        cells=plan.cells,
    )


def _sensor_name(scene: Scene) -> str:
    """The scene's sensor; harmonised ones are one."""
    return "hls" if scene.sensor.name in HLS_SENSORS else scene.sensor.name


def stored_tile(planned: PlannedTile, plan: Plan) -> StoredTile:
    """The store's record of a planned tile; scenes that may have filled its gaps are named after its own."""
    tile, is_one_row = planned.tile, plan.has_row_a_tile
    return StoredTile(
        id=tile.id,
        crs=tile.crs,
        transform=tuple(float(v) for v in tile.transform[:6]),
        h=1 if is_one_row else tile.height // plan.cell_px,
        w=1 if is_one_row else tile.width // plan.cell_px,
        height_px=tile.height,
        width_px=tile.width,
        datetimes=tuple(scene.datetime.isoformat() if scene.datetime else None for scene in planned.scenes),
        scene_ids=tuple(scene.id for scene in (*planned.scenes, *planned.fills)),
        split=planned.scenes[-1].split,
        in_window=None if is_one_row else _place_in_window(planned, plan),
    )


def _place_in_window(planned: PlannedTile, plan: Plan) -> tuple[int, int, int, int]:
    """First row and column of a tile in its window, and the rows and columns of the window."""
    row, column = ((margin - plan.reach_px // 2) // plan.cell_px for margin in planned.margin_px)
    return row, column, *plan.window_grid(planned)


def dims_of(plan: Plan) -> tuple[int, ...]:
    """Width of each column."""
    attends_to_all = plan.spec.max_frames > 1
    is_joined = plan.spec.joins_dates or (
        not attends_to_all and plan.temporal in ("mean", "max", "difference")
    )
    # An encoder that attends across dates has one class token for all of them.
    has_one_token = attends_to_all and plan.pooling == "cls"
    dates = 1 if is_joined or has_one_token else plan.frames
    if plan.has_row_a_tile:
        return tuple(plan.spec.layer_dim(layer) * dates for layer in plan.layers)
    return tuple(folded_dim(plan.spec, layer, plan.patch_px) * dates for layer in plan.layers)


def folded_dim(spec: BackboneSpec, layer: int, patch_px: int) -> int:
    """Width of a layer's column: a finer layer's cells in a patch follow one another in it."""
    return spec.layer_dim(layer) * (patch_px // spec.stride_px(layer)) ** 2
