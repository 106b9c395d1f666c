"""The scenes that a store was made from, as far as they can still be found."""

from __future__ import annotations

from pathlib import Path

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.store import EmbeddingStore
from engine.workspace import workspace_of


def scenes_of_store(folder: Path) -> tuple[Scene, ...]:
    """Scenes of the tiles of a store; none where the store or its scenes have gone."""
    try:
        store = EmbeddingStore.open(folder)
        config = parse_config(store.meta.config, where=f"the configuration inside {folder}")
        if not isinstance(config, ExtractConfig):
            return ()
        wanted = {name for tile in store.tiles for name in tile.scene_ids}
        return tuple(scene for scene in config.scene.find(workspace_of(folder.parent)) if scene.id in wanted)
    except (EngineError, OSError):
        return ()
