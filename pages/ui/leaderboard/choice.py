"""What is compared: the ground, its stores and more backbones, heads, seeds, and what else is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from engine.backbones import cards
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    HeadConfig,
    LeaderboardConfig,
    parse_config,
)
from engine.jobs.configuration.leaderboard import FEW_LABELS
from pages.ui.backbones import card as backbone_card
from pages.ui.jobs import chosen_run
from pages.ui.look.fields import choices_of, help_of
from pages.ui.state import address, cached, results, session

_SEASON = ExtractConfig(scene=session.SEASON.scene, backbone=BackboneConfig(name=session.SEASON.backbone))
_FIRST = ("rcf", "csmask_b4_l2a", "efficientnet_lite0")
_HEADS = ("linear", "mlp", "knn")
_EPOCHS = 15
_HOW_ELSE = "Or start below: the fire season is simulated and extracted first with each backbone, and then their decoders learn."
_TRAVEL = {"places": "place", "dates": "date", "sensors": "sensor", "levels": "level", "stores": "store"}


@dataclass(frozen=True)
class Chosen:
    """What the form says.

    Attributes:
        config: None while something lacks, which `lacks` says.
        is_there: of each store, whether its embeddings are there.
    """

    config: LeaderboardConfig | None
    lacks: str
    is_there: tuple[bool, ...]
    is_simulated: bool


def choose(stores: Sequence[cached.JobFacts]) -> Chosen:
    """The form; where nothing has labels yet, it says what happens first."""
    labelled = [
        one for one in stores if one.config.backbone.name != "raw" and cached.has_labels(one.config.scene)
    ]
    if not labelled:
        st.info(f"{_why_none(stores)} {_HOW_ELSE}", icon=":material/info:")
    grounds = _grounds(labelled)
    names = list(grounds)
    address.restore("ground", "lb_ground", names, names[0])
    name = st.selectbox(
        "Ground",
        names,
        key="lb_ground",
        help="Scenes with labels: those of stores that are there, and the fire season.",
    )
    address.keep("ground", "lb_ground")
    pattern, there = grounds[str(name)]
    picked = _stores(str(name), there)
    more = _backbones(str(name), pattern, there)
    one, two = st.columns(2)
    with one:
        heads = _heads()
    with two:
        seeds = int(
            st.number_input(
                "Seeds",
                1,
                20,
                3,
                key="lb_seeds",
                bind="query-params",
                help=help_of(LeaderboardConfig, "seeds"),
            )
        )
        epochs = int(
            st.number_input("Epochs, at most", 1, 1000, _EPOCHS, key="lb_epochs", bind="query-params")
        )
    held = {one.job.id for one in there}
    rest = _more([one for one in labelled if one.job.id not in held])
    made = [pattern.model_copy(update={"backbone": BackboneConfig(name=backbone)}) for backbone in more]
    asked = [str(one.job.folder / "store") for one in picked] + [one.model_dump(mode="json") for one in made]
    is_there = (*(True for _ in picked), *(False for _ in made))
    is_simulated = pattern.scene.source == "simulated"
    lacks = "" if asked and heads else "Choose a store or a backbone, and a head."
    if lacks:
        return Chosen(None, lacks, is_there, is_simulated)
    tree = {
        "kind": "leaderboard", "stores": asked, "heads": heads, "seeds": list(range(seeds)), **rest,
        "training": {"epochs": epochs},
    }  # fmt: skip
    config = parse_config(tree, "These settings")
    assert isinstance(config, LeaderboardConfig), "kind: leaderboard"
    return Chosen(config, "", is_there, is_simulated)


def _why_none(stores: Sequence[cached.JobFacts]) -> str:
    """Why there is nothing to rank yet, though there may be a store of labelled scenes."""
    if any(cached.has_labels(one.config.scene) for one in stores):
        return (
            "The labelled scenes here are extracted as raw pixels only, which serve as a baseline. A leaderboard ranks encoders: "
            "extract the scenes with one, and come back."
        )
    return "No embeddings with labels are here yet: extract labelled chips of your own, and come back."


def _grounds(labelled: Sequence[cached.JobFacts]) -> dict[str, tuple[ExtractConfig, list[cached.JobFacts]]]:
    """Ground by its title: the extraction that more backbones follow, and the stores that are there."""
    found: dict[str, tuple[ExtractConfig, list[cached.JobFacts]]] = {}
    by_ground: dict[str, list[cached.JobFacts]] = {}
    for one in labelled:
        region = one.config.region.model_dump_json() if one.config.region else ""
        by_ground.setdefault(f"{one.config.scene.model_dump_json()}{region}", []).append(one)
    for own in by_ground.values():
        config = own[0].config
        title = f"{config.scene.title}{' (a region)' if config.region else ''}"
        title = title if title not in found else f"{title} · {len(found) + 1}"
        found[title] = (config, own)
    if all(config.scene != _SEASON.scene for config, _ in found.values()):
        found[f"{_SEASON.scene.title} (simulated)"] = (_SEASON, [])
    return found


def _stores(ground: str, there: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """Which of the stores that are there take part: of each backbone the newest to begin with."""
    if not there:
        return []
    by_id = {one.job.id: one for one in there}
    labels = chosen_run.labels(by_id, results.store_words)
    newest = {one.config.backbone.name: one.job.id for one in reversed(there)}
    chosen = st.multiselect("Embeddings that are there", list(by_id), default=sorted(newest.values()), key=f"lb_stores_{ground}",
                            format_func=labels.__getitem__)  # fmt: skip
    return [by_id[one] for one in chosen]


def _backbones(ground: str, pattern: ExtractConfig, there: Sequence[cached.JobFacts]) -> list[str]:
    """Backbones whose embeddings are made first: those whose weights are here."""
    held = {one.config.backbone.name for one in there}
    names = [
        card.name
        for card in cards.CARDS.values()
        if card.name not in {*held, "raw"} and backbone_card.is_present(card)
    ]
    usual = [] if there else [name for name in _FIRST if name in names]
    return st.multiselect(
        "Backbones to extract first", names, default=usual, key=f"lb_backbones_{ground}",
        help=f"On {pattern.scene.title}; those whose weights are here.",
    )  # fmt: skip


def _heads() -> list[str]:
    names = [name for name in choices_of(HeadConfig, "name") if name != "fusion"]
    chosen = st.pills("Heads", names, default=list(_HEADS), selection_mode="multi", key="lb_heads", bind="query-params",
                      help=help_of(LeaderboardConfig, "heads"))  # fmt: skip
    return [name for name in names if name in chosen]


def _more(elsewhere: Sequence[cached.JobFacts]) -> dict[str, Any]:
    """Few-label curves, matrices, position and layers.

    Args:
        elsewhere: labelled stores of other scenes or regions.
    """
    with st.expander("Also ask", icon=":material/tune:"):
        few = st.toggle("How few labels suffice?", key="lb_few", bind="query-params",
                        help="Teaches on 1, 5, 10, 50 and 100 % of the training places, the same for all.")  # fmt: skip
        position = st.toggle("Does position matter?", key="lb_position", bind="query-params",
                             help=help_of(LeaderboardConfig, "positions"))  # fmt: skip
        each = st.toggle("Is one layer enough?", key="lb_each", bind="query-params",
                         help="Of stores with several layers: all of them joined, and each by itself.")  # fmt: skip
        asked = st.pills("Does it travel between", list(_TRAVEL), selection_mode="multi", key="lb_travel", bind="query-params",
                         help=help_of(LeaderboardConfig, "travel"))  # fmt: skip
        others = _others(elsewhere) if asked and elsewhere else []
    return {
        "label_shares": list(FEW_LABELS) if few else [], "positions": ["keep", "remove"] if position else ["keep"],
        "layers": [None, "each"] if each else [None], "travel": [_TRAVEL[one] for one in _TRAVEL if one in asked] or "none",
        "travel_stores": others,
    }  # fmt: skip


def _others(elsewhere: Sequence[cached.JobFacts]) -> list[str]:
    """Stores of other ground, dates, sensors or levels for the matrices, by their folders."""
    by_id = {one.job.id: one for one in elsewhere}
    chosen = st.multiselect("Other stores to travel to", list(by_id), key="lb_travel_stores",
                            format_func=chosen_run.labels(by_id, results.store_words).__getitem__,
                            help=help_of(LeaderboardConfig, "travel_stores"))  # fmt: skip
    return [str(by_id[one].job.folder / "store") for one in chosen]
