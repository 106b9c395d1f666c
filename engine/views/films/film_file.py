"""Pictures as one animated file: WebP, GIF or PNG (APNG), as its name ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from engine.errors import BadInput, StoreError
from engine.files import require_file_path, write_atomic

ENDINGS = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG"}
LONGEST_SIDE_PX = 720
_LEAST_S, _MOST_S = 0.05, 20.0


def require_film(out: Path, seconds: float) -> None:
    """Refuse a name that is none of a film, and a pace that nobody can watch.

    Raises:
        BadInput: naming what would do.
    """
    if out.suffix.lower() not in ENDINGS:
        raise BadInput(f"{out} does not end in {', '.join(ENDINGS)}. Give the file one of these endings.")
    if not _LEAST_S <= seconds <= _MOST_S:
        raise BadInput(
            f"A date is shown for {_LEAST_S:g} to {_MOST_S:g} s, not {seconds:g}. Choose another pace."
        )
    require_file_path(out)


def require_dates(what: str, days: Sequence[str]) -> None:
    """Refuse a film of one picture.

    Raises:
        StoreError: fewer than two dates.
    """
    if len(days) < 2:
        held = days[0] if days and days[0] else "no date that is stated"
        raise StoreError(f"{what} has one date ({held}), and a film needs two. Choose a series.")


def write_film(out: Path, pictures: Iterable[Image.Image], seconds: float) -> Path:
    """Write the pictures one after another, again and again; the file appears complete or not at all.

    Args:
        pictures: the first one first; smaller ones get white beside and below.
        seconds: that each is shown.

    Raises:
        BadInput: another ending.
        DiskFull: no room.
    """
    require_film(out, seconds)
    first, *others = _of_one_size(list(pictures))
    form = ENDINGS[out.suffix.lower()]
    options: dict[str, object] = (
        {"quality": 88, "method": 3} if form == "WEBP" else {"disposal": 1} if form == "GIF" else {}
    )
    write_atomic(
        out,
        lambda temporary: first.save(
            temporary,
            form,
            save_all=True,
            append_images=others,
            duration=round(1000 * seconds),
            loop=0,
            **options,
        ),
    )
    return out


def _of_one_size(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Captions of several stores may differ in their lines."""
    size = max(one.width for one in pictures), max(one.height for one in pictures)
    made = []
    for one in pictures:
        page = Image.new("RGB", size, (255, 255, 255))
        page.paste(one, (0, 0))
        made.append(page)
    return made
