"""A decoder as one file: its card and scores in the header of the weights, read and made a run on any machine."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from engine.errors import BadInput
from engine.files import write_atomic
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.event_log import append_event
from engine.jobs.events import Finished, Started, Submitted
from engine.learning.keeping.card import SCHEMA_VERSION, DecoderCard
from engine.learning.keeping.model_card import CARD_KEY, OWN_KEY
from engine.learning.keeping.result import POSITIONS, SCORES, WEIGHTS, TrainRun, write_card, write_json
from engine.learning.positions import POSITION_PREFIX

_LONGEST = 4_000_000


def read_card(path: Path) -> tuple[DecoderCard, dict[str, Any]]:
    """The card and the scores in the header of a decoder's file.

    Raises:
        BadInput: it is no file of safetensors, or none of a decoder of this version.
    """
    try:
        with safe_open(path, "np") as file:
            text = (file.metadata() or {}).get(CARD_KEY, "")
    except (OSError, SafetensorError) as err:
        raise BadInput(
            f"{path.name} is no file of safetensors, or is damaged. Download the decoder again."
        ) from err
    if not text or len(text) > _LONGEST:
        raise BadInput(
            f"{path.name} carries no card of a decoder. Give the decoder.safetensors of a training of this version."
        )
    try:
        own = json.loads(text)[OWN_KEY]
        scores = own.pop("scores")
        version = own.get("schema_version")
        card = DecoderCard.from_json(own)
        card.head_config, card.taught.values, card.shape.dim  # noqa: B018 - each checks a part of the card
        if not isinstance(scores, dict) or not re.fullmatch(
            r"\w[\w-]*(\.\w[\w-]*)*(/\w[\w.-]*)?", card.backbone
        ):
            raise ValueError("no scores, or no backbone")
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as err:
        raise BadInput(f"The card in {path.name} cannot be read. Download the decoder again.") from err
    if version != SCHEMA_VERSION:
        raise BadInput(
            f"The decoder in {path.name} is of schema {version}, and this version reads {SCHEMA_VERSION}."
        )
    return card, scores


def open_decoder(path: Path, workspace: Path) -> TrainRun:
    """Make a run of a decoder's file: it maps ground that fits it; what it learned from stays where it was.

    Raises:
        BadInput: as `read_card`, or a decoder without position whose means are not in the file.
        DiskFull: no room.
    """
    card, scores = read_card(path)
    positions = _positions(path) if card.position == "remove" else None
    # Paths of the machine that it comes from mean nothing here.
    card = replace(card, store="", labels="", raw_store="", more_baselines={})
    config = TrainConfig(
        store=f"{card.backbone}, elsewhere", head=card.head_config, layers=card.layers, seed=card.seed
    )
    folder = run_folder.new_folder(config, workspace)
    run_folder.create(folder, config)
    append_event(folder, Submitted())
    append_event(folder, Started(os.getpid(), psutil.Process().create_time(), "cpu"))
    if positions is not None:
        write_atomic(folder / POSITIONS, lambda temporary: temporary.write_bytes(positions))
    write_atomic(folder / WEIGHTS, lambda temporary: shutil.copyfile(path, temporary))
    write_json(folder / SCORES, scores)
    write_card(folder, card)
    append_event(folder, Finished({"decoder": str(folder / WEIGHTS), "scores": scores}))
    run_folder.touch_workspace(folder)
    return TrainRun.open(folder)


def _positions(path: Path) -> bytes:
    """The means of places in the window, as the file of their own has them."""
    with safe_open(path, "np") as file:
        names = [name for name in file.keys() if name.startswith(POSITION_PREFIX)]  # noqa: SIM118 - it is no mapping
        tensors = {name.removeprefix(POSITION_PREFIX): file.get_tensor(name) for name in names}
    if not tensors:
        raise BadInput(
            f"{path.name} was trained with position: remove, and the means that were taken off are not in it. Open the zip "
            f"of its run instead."
        )
    return bytes(save(tensors))
