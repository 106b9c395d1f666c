"""The name and the note that a person gives to a run, kept beside its configuration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import ConfigError
from engine.files import write_atomic

NOTE = "note.json"
LONGEST_NAME, LONGEST_TEXT = 80, 4000


@dataclass(frozen=True)
class Note:
    """What a person calls a run, and what they want to remember of it; both may be empty.

    Attributes:
        name: one line; it is shown and becomes no path.
    """

    name: str = ""
    text: str = ""


def read_note(folder: Path) -> Note:
    """The note of a run folder; an empty one where there is none, or where it is damaged."""
    try:
        tree = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return Note(str(tree["name"]), str(tree["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Note()


def write_note(folder: Path, note: Note) -> None:
    """Keep a note; an empty one is taken away.

    Raises:
        ConfigError: too long, or a name of several lines.
        DiskFull: no room.
    """
    if len(note.name) > LONGEST_NAME or not note.name.isprintable():
        raise ConfigError(f"The name of a run is one line of at most {LONGEST_NAME} characters. Shorten it.")
    if len(note.text) > LONGEST_TEXT:
        raise ConfigError(f"The note of a run has at most {LONGEST_TEXT:,} characters. Shorten it.")
    if note == Note():
        (folder / NOTE).unlink(missing_ok=True)
        return
    text = json.dumps(asdict(note), ensure_ascii=False, indent=1)
    write_atomic(folder / NOTE, lambda temporary: temporary.write_text(text, encoding="utf-8"))
