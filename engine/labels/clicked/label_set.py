"""Classes of one's own and the labels that a person gave to patches and polygons."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shapely.geometry.base import BaseGeometry

from engine.errors import LabelError

LONGEST_NAME = 60
MOST_CLASSES = 24
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# Okabe & Ito 2008, "Color universal design", and Tol 2021, "Colour schemes" (muted); burnt is the second.
COLOURS = (
    "#009e73",
    "#d55e00",
    "#0072b2",
    "#f0e442",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#882255",
    "#999933",
    "#332288",
)


@dataclass(frozen=True)
class LabelClass:
    """One class.

    Attributes:
        colour: six hexadecimal digits after a hash.
    """

    name: str
    colour: str

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """Red, green, blue and opacity, 0 to 255."""
        red, green, blue = (int(self.colour[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue, 255

    @property
    def key(self) -> str:
        """The name in small letters, digits and underscores: two classes of one key are one."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")


USUAL = (LabelClass("not burnt", COLOURS[0]), LabelClass("burnt", COLOURS[1]))


@dataclass(frozen=True)
class Label:
    """A class that was given to some ground.

    Attributes:
        shape: point or polygon, lon/lat in degrees.
        who: name of the workspace; empty where it has none.
        when: ISO 8601, UTC; empty where an imported file does not say.
        source: clicked, drawn, imported, or cluster: a typical patch of a cluster that was named.
        store: run folder of the store that was looked at.
        patches: the patch of a click, TILE/ROW/COLUMN; empty for polygons.
        id: tells it from the others of its set.
    """

    class_name: str
    shape: BaseGeometry
    who: str = ""
    when: str = ""
    source: str = "clicked"
    store: str = ""
    patches: tuple[str, ...] = ()
    id: str = field(default_factory=lambda: secrets.token_hex(6))


@dataclass(frozen=True)
class LabelSet:
    """All labels of a store, the newest last, and the classes that they may have."""

    classes: tuple[LabelClass, ...] = USUAL
    labels: tuple[Label, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Labels of each class."""
        return {one.name: sum(label.class_name == one.name for label in self.labels) for one in self.classes}

    def index_of(self, name: str) -> int:
        """Number of a class.

        Raises:
            LabelError: there is none of that name.
        """
        names = [one.name for one in self.classes]
        if name not in names:
            raise LabelError(
                f"There is no class {name!r} among {', '.join(names)}. Add it first, or choose one of these."
            )
        return names.index(name)

    def with_label(self, label: Label) -> LabelSet:
        """With one label more.

        Raises:
            LabelError: its class is not among those of the set.
        """
        self.index_of(label.class_name)
        return replace(self, labels=(*self.labels, label))

    def without(self, ids: Sequence[str]) -> LabelSet:
        """Without some labels."""
        return replace(self, labels=tuple(one for one in self.labels if one.id not in ids))

    def without_last(self) -> LabelSet:
        """Without the newest label."""
        return replace(self, labels=self.labels[:-1])

    def with_class(self, name: str, colour: str | None = None) -> LabelSet:
        """With one class more, in a colour that no other has unless one is given.

        Raises:
            LabelError: a name or a colour that cannot be used, or too many classes.
        """
        if len(self.classes) >= MOST_CLASSES:
            raise LabelError(f"There are {MOST_CLASSES} classes already. Remove one first.")
        used = {one.colour for one in self.classes}
        free = next((one for one in COLOURS if one not in used), COLOURS[len(self.classes) % len(COLOURS)])
        made = checked_class(name, colour or free)
        if made.key in {one.key for one in self.classes}:
            raise LabelError(f"There is a class {made.name!r} already. Choose another name.")
        return replace(self, classes=(*self.classes, made))

    def without_class(self, name: str) -> LabelSet:
        """Without a class and its labels."""
        kept = tuple(one for one in self.labels if one.class_name != name)
        return LabelSet(tuple(one for one in self.classes if one.name != name), kept)


def checked_class(name: str, colour: str) -> LabelClass:
    """A class with a name that scores and files can carry.

    Raises:
        LabelError: a name without a letter a to z or a digit, a name that is too long, or no colour.
    """
    plain = " ".join(name.split())
    if not re.search(r"[A-Za-z0-9]", plain) or len(plain) > LONGEST_NAME:
        raise LabelError(
            f"{plain[:LONGEST_NAME] or 'An empty name'!r} cannot name a class. Use at most {LONGEST_NAME} characters, "
            f"one of them a letter a to z or a digit."
        )
    if not _COLOUR.fullmatch(colour):
        raise LabelError(f"{colour[:20]!r} is no colour of the class {plain!r}. Give one such as #d55e00.")
    return LabelClass(plain, colour.lower())


def now() -> str:
    """The time of a label."""
    return datetime.now(UTC).isoformat(timespec="seconds")
