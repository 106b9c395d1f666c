"""The ground that a decoder may map: places, stores that are there, and why others do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine.backbones import cards
from engine.errors import BadInput, EngineError
from engine.jobs.configuration.config import ExtractConfig, SceneConfig, config_hash
from engine.learning.keeping.card import DecoderCard, reads_level
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.ground import extraction_for
from pages.ui.jobs import chosen_run
from pages.ui.look import wording
from pages.ui.map import layers
from pages.ui.state import cached, regions, results, session


@dataclass(frozen=True)
class Ground:
    """Something that can be mapped.

    Attributes:
        key: `place:` and the place's key, or `store:` and the run's name.
        title: on the map; empty: after its files.
        given: a store's folder, or the extraction that makes one first.
    """

    key: str
    words: str
    title: str
    scene: SceneConfig
    given: str | ExtractConfig


def offered(run: TrainRun, stores: Sequence[cached.JobFacts]) -> tuple[list[Ground], list[tuple[str, str]]]:
    """What the decoder can map, places first; and the others with the reason."""
    fitting: list[Ground] = []
    refused: list[tuple[str, str]] = []
    used = set()
    for place in session.places():
        try:
            config = _extraction(run, place)
        except EngineError as err:
            refused.append((place.title, str(err)))
            continue
        held = _held(config, stores)
        if held is not None:
            used.add(held.job.id)
        given = str(results.store_of(held.job).folder) if held else config
        words = f"{place.title} · {'embeddings are there' if held else 'embeddings are made first'}"
        if config.tiles.gsd_m is not None:
            words += f", at {config.tiles.gsd_m:g} m a pixel as the decoder learned"
        fitting.append(Ground(f"place:{place.key}", words, place.title, place.scene, given))
    names = chosen_run.labels({one.job.id: one for one in stores}, results.store_words)
    for found in stores:
        if found.job.id in used or found.config.backbone.name == "raw" != run.decoder.backbone:
            continue
        try:
            store = results.store_of(found.job)
            run.decoder.require_fit(store)
            if run.decoder.taught.is_per_tile:
                raise BadInput(
                    "The decoder calls whole tiles, and maps here are of pixels. On the command line `predict` maps the tiles of a store."
                )
        except EngineError as err:
            refused.append((results.store_words(found), _short(str(err), str(found.job.folder))))
        else:
            title = f"{found.config.scene.title} {results.years_of(found)}" if store.meta.is_of_others else ""
            fitting.append(
                Ground(
                    f"store:{found.job.id}",
                    names[found.job.id],
                    title.strip(),
                    found.config.scene,
                    str(store.folder),
                )
            )
    return fitting, refused


def why_not(refused: Sequence[tuple[str, str]]) -> None:
    """The ground that the decoder cannot read, each with the reason."""
    if not refused:
        return
    with st.expander(f"Why not other ground ({len(refused)})", icon=":material/block:"):
        for name, reason in refused:
            st.markdown(f"**{wording.plain(name)}**")
            st.caption(wording.told(reason))


def _extraction(run: TrainRun, place: session.Place) -> ExtractConfig:
    """The extraction that a place needs.

    Raises:
        BadInput: its scenes lack bands, or are of another level than the decoder was taught on.
    """
    if run.decoder.taught.is_per_tile:
        raise BadInput("It calls whole tiles, and maps here are of pixels.")
    try:
        cards.card(run.decoder.backbone)
    except BadInput as err:
        raise BadInput(
            f"It reads embeddings of {run.decoder.backbone}, which others made: no scene can be encoded with that here. Bring the "
            f"embeddings of this ground."
        ) from err
    region = regions.chosen() if place.key == session.place().key else None
    if not session.is_ready(place.scene):
        return extraction_for(run, place.scene, region)
    scenes, card = cached.scenes(place.scene), run.decoder
    _require_bands(card, layers.common_bands(scenes))
    level = scenes[0].level
    if level and card.level and not reads_level(card.level, level):
        raise BadInput(f"Its level is {level}, and the decoder was taught on {card.level}.")
    return extraction_for(run, place.scene, region, scenes[0].gsd_m)


def _require_bands(card: DecoderCard, bands: tuple[str, ...]) -> None:
    """Refuse bands that the backbone cannot do with, or of which it would make other embeddings than the decoder learned from.

    Raises:
        BadInput: naming the bands.
    """
    spec = cards.card(card.backbone)
    missing = cards.missing_bands(spec, bands)
    if missing:
        raise BadInput(f"It has no {' and no '.join(missing)}, which {card.backbone} needs.")
    read = spec.bands_read(bands)
    if spec.any_bands and read != card.bands:
        lacking = [band for band in card.bands if band not in read]
        more = [band for band in read if band not in card.bands]
        told = (
            f"It has no {' and no '.join(lacking)}, of which"
            if lacking
            else f"It also has {wording.in_a_row(more)}, without which"
        )
        raise BadInput(f"{told} the decoder learned: {card.backbone} makes other embeddings of other bands.")


def _held(config: ExtractConfig, stores: Sequence[cached.JobFacts]) -> cached.JobFacts | None:
    """A store that an extraction of the same configuration has left."""
    wanted = config_hash(config)
    return next((one for one in stores if config_hash(one.config) == wanted), None)


def _short(reason: str, folder: str) -> str:
    """The reason without the path of the store, which stands above it."""
    return reason.replace(f"{folder}/store", "This store").replace(folder, "This run")
