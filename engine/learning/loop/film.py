"""The map of one validation tile at every epoch, as small pictures in the run folder, and its labels beside them.

A file `watch` in the run folder names the tile; a page may write it while the training runs.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from engine.learning.dataset import Span, TrainingData
from engine.learning.film_reel import FILM, TILES, TRUTH, WATCH, frame_path, write_picture
from engine.learning.heads.decoder import Decoder
from engine.learning.tasks.task import Task
from engine.learning.truth import on_tile


class Film:
    """The watched tile of a training."""

    def __init__(self, folder: Path, task: Task, data: TrainingData, tile_id: str | None) -> None:
        self.folder, self.task, self.data = folder, task, data
        self.spans = {} if task.is_per_tile else {span.tile.id: span for span in data.spans["validation"]}
        self.tile_id = tile_id if tile_id in self.spans else self._most_mixed()
        self.shown = ""

    def shoot(self, epoch: int, decoder: Decoder) -> None:
        """Write the picture of an epoch, and the labels when the tile is another one."""
        span = self.spans.get(self._asked_for())
        if span is None:
            return
        (self.folder / FILM).mkdir(parents=True, exist_ok=True)
        if not self.shown:
            (self.folder / FILM / TILES).write_text(json.dumps(sorted(self.spans)), encoding="utf-8")
        if self.shown != span.tile.id:
            labels = self.data.labels[span.rows].cpu().numpy()
            self._write(self.folder / FILM / TRUTH, labels, span, 0)
            self.shown = span.tile.id
        self._write(frame_path(self.folder, epoch), self._predicted(decoder, span), span, epoch)

    @torch.no_grad()
    def _predicted(self, decoder: Decoder, span: Span) -> np.ndarray:
        """(rows, L) of the tile; missing where a patch has no data."""
        decoder.eval()
        rows = self.data.features[span.rows]
        if decoder.sees_neighbours:
            outputs = decoder(rows.view(1, span.tile.h, span.tile.w, -1))[0].flatten(0, 1)
        else:
            outputs = decoder(rows)
        found = self.task.predict(outputs).cpu().numpy()
        found[~self.data.is_valid[span.rows]] = self.task.label_reading.missing_label
        return found

    def _write(self, path: Path, rows: np.ndarray, span: Span, epoch: int) -> None:
        values = self.task.map_values(on_tile(rows, span.tile, is_per_tile=False))
        write_picture(path, values, self.task.prediction_style, span.tile.id, epoch)

    def _asked_for(self) -> str:
        """The tile that a page has asked for while it runs, or the one from the start."""
        try:
            asked = (self.folder / WATCH).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return self.tile_id
        return asked if asked in self.spans else self.tile_id

    def _most_mixed(self) -> str:
        """The tile whose labels differ most: where there is most to see."""
        best, tile_id = -1.0, ""
        for name, span in self.spans.items():
            labels = self.data.labels[span.rows]
            known = labels[self.task.is_known(labels)].float()
            spread = float(known.std()) if known.numel() > 1 else 0.0
            if spread > best:
                best, tile_id = spread, name
        return tile_id
