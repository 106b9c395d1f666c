"""What a data set says of itself: split files, a table of fires and of what could not be had, and a page in words."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.datasets.perimeters.fire import NotHad
from engine.datasets.records import FireRecord
from engine.files import make_folder, write_atomic
from engine.jobs.configuration.dataset import DatasetConfig

_COLUMNS = ("fire", "began", "ended", "image", "chips", "burnt_share", "scenes", "could_not_be_had")


def write_splits(folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    """splits/train.txt, val.txt and test.txt; a split without chips has no file."""
    make_folder(folder / "splits")
    for name, stems in splits.items():
        if stems:
            _write(folder / "splits" / f"{name}.txt", "".join(f"{stem}\n" for stem in stems))


def write_report(
    folder: Path, config: DatasetConfig, records: Sequence[FireRecord], not_had: Sequence[NotHad],
    splits: Mapping[str, Sequence[str]], notes: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """fires.csv, dataset.json and DATASET.md.

    Returns:
        What dataset.json holds.
    """
    chips = [chip for record in records for chip in record.chips]
    facts = {
        "fires": sum(1 for record in records if record.chips),
        "chips": len(chips),
        "splits": {name: len(stems) for name, stems in splits.items()},
        "bands": list(next((record.bands for record in records if record.bands), ())),
        "burnt_share": round(sum(one.burnt for one in chips) / len(chips), 4) if chips else 0.0,
        "simulated": any(record.is_simulated for record in records),
        "could_not_be_had": [{"fire": one.fire, "date": one.date, "reason": one.reason} for one in not_had],
        "notes": list(notes),
        "configuration": config.model_dump(mode="json"),
    }
    write_atomic(folder / "fires.csv", lambda path: _table(path, records, not_had))
    _write(folder / "dataset.json", json.dumps(facts, indent=2, default=str) + "\n")
    _write(folder / "DATASET.md", _in_words(config, facts, not_had))
    return facts


def _table(path: Path, records: Sequence[FireRecord], not_had: Sequence[NotHad]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for one in records:
            burnt = sum(chip.burnt for chip in one.chips) / len(one.chips) if one.chips else 0.0
            table.writerow([
                _safe(one.title), one.start, one.end, one.image_day, len(one.chips), f"{burnt:.4f}",
                _safe(" ".join(one.scenes)), _safe(". ".join(one.reasons)),
            ])  # fmt: skip
        titles = {record.title for record in records}
        for lost in not_had:
            if lost.fire not in titles:
                table.writerow([_safe(lost.fire), lost.date, "", "", 0, "", "", _safe(lost.reason)])


def _safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _in_words(config: DatasetConfig, facts: Mapping[str, Any], not_had: Sequence[NotHad]) -> str:
    source = config.imagery.title
    simulated = "\nThe imagery is **simulated**: no satellite has seen it.\n" if facts["simulated"] else ""
    splits = ", ".join(f"{count} {name}" for name, count in facts["splits"].items())
    lost = "".join(f"- {one.fire}: {one.reason}\n" for one in not_had) or "Nothing.\n"
    notes = "".join(f"- {note}\n" for note in facts["notes"])
    classes = config.labels.classes
    severity = (
        f"- `data/<stem>.{classes.name}.tif`: classes of {classes.column}, 0 unburnt, -1 not known\n"
        if classes
        else ""
    )
    return f"""# {config.title}

{facts["chips"]} chips of {facts["fires"]} fires ({splits}), made from `{config.perimeters.file}` and {source}.
{simulated}
- `data/<stem>_merged.tif`: {", ".join(facts["bands"])} after the fire, float32, NaN where not seen
- `data/<stem>.mask.tif`: 1 burnt, 0 not burnt, -1 not known: not seen, within {config.labels.buffer_m:g} m of a perimeter, or on
  ground of an earlier or undated fire
{severity}- `splits/*.txt`: stems; fires that share ground are in one split
- `fires.csv`: each fire with its days, scenes and chips

The layout is that of HLS Burn Scars, which TerraTorch reads too.

## What was assumed
{notes}
## What could not be had
{lost}"""


def _write(path: Path, text: str) -> None:
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
