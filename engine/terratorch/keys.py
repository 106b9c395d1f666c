"""The keys of a TerraTorch file: each is taken once, and each leaves a line that says how it was read."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Literal

from engine.errors import ConfigError
from engine.nearest import nearest

Verdict = Literal["read as", "ignored", "not honoured", "refused"]
_LONGEST = 60
# A generation file has some fifty keys, four levels deep. YAML's aliases can make a short file an endless tree.
_MOST_KEYS, _MOST_LEVELS = 2000, 16
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = (
    3,
    8,
    8,
    _LONGEST,
    _LONGEST,
)


@dataclass(frozen=True)
class KeyRead:
    """How one key was read.

    Attributes:
        key: its path in the file, joined by dots.
        found: its value, shortened for a line.
        verdict: "read as" (it became `words`), "ignored" (it has no bearing here, `words` says why),
            "not honoured" (the run does otherwise, `words` says what), "refused" (the run cannot start).
    """

    key: str
    found: str
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Found:
    """A key that the file has, and its value."""

    key: str
    value: Any

    @property
    def is_none(self) -> bool:
        """Whether it says that there is nothing: null, or the word none."""
        return is_none(self.value)


class Keys:
    """The keys that are left to be read, and what became of the others."""

    def __init__(self, tree: dict[str, Any]) -> None:
        if sum(1 for _ in islice(_leaves(tree, ""), _MOST_KEYS + 1)) > _MOST_KEYS:
            raise ConfigError(
                f"The file has more than {_MOST_KEYS} keys; a generation file has some fifty. Give the generation file itself."
            )
        self._original, self._tree = tree, copy.deepcopy(tree)
        self.lines: list[KeyRead] = []

    def take(self, *paths: str) -> Found | None:
        """The first of several spellings of one key that the file has; a second spelling is refused."""
        found = [Found(path, value) for path in paths if (value := self._pop(path)) is not _ABSENT]
        for double in found[1:]:
            self.refuse(double, f"says what {found[0].key} says already; keep one of them")
        return found[0] if found else None

    def read_as(self, found: Found, words: str) -> None:
        """Note what a key became."""
        self._note(found, "read as", words)

    def ignore(self, found: Found, reason: str) -> None:
        """Note that a key has no bearing here."""
        self._note(found, "ignored", reason)

    def not_honour(self, found: Found, instead: str) -> None:
        """Note that the run does otherwise."""
        self._note(found, "not honoured", instead)

    def refuse(self, found: Found, words: str) -> None:
        """Note that the run cannot do what a key asks."""
        self._note(found, "refused", words)

    def ignore_rest(self, reasons: dict[str, str], known: list[str]) -> None:
        """Ignore what is left by the reason of the first pattern that fits it, and refuse what fits none.

        Args:
            reasons: pattern of a dotted key -> why it has no bearing.
            known: keys to guess from where one is misspelt.
        """
        for found in _leaves(self._tree, ""):
            reason = next((why for pattern, why in reasons.items() if fnmatchcase(found.key, pattern)), None)
            if reason is None:
                name = found.key.rpartition(".")[2]
                self.refuse(
                    found,
                    f"is not a key that can be read here{nearest(name, known)}; remove it or correct its name",
                )
            else:
                self.ignore(found, reason)

    def in_file_order(self) -> tuple[KeyRead, ...]:
        """All lines, as their keys stand in the file; keys that it lacks come last."""
        order = {found.key: at for at, found in enumerate(_leaves(self._original, ""))}

        def first_leaf(line: KeyRead) -> int:
            under = [at for key, at in order.items() if f"{key}.".startswith(f"{line.key}.")]
            return min(under, default=len(order))

        return tuple(sorted(self.lines, key=first_leaf))

    @property
    def refusals(self) -> list[KeyRead]:
        """All that stands in the way."""
        return [line for line in self.lines if line.verdict == "refused"]

    def _pop(self, path: str) -> Any:
        *parents, leaf = path.split(".")
        branch: Any = self._tree
        for parent in parents:
            branch = branch.get(parent) if isinstance(branch, dict) else None
        return branch.pop(leaf, _ABSENT) if isinstance(branch, dict) else _ABSENT

    def _note(self, found: Found, verdict: Verdict, words: str) -> None:
        self.lines.append(KeyRead(found.key, _short(found.value), verdict, words))


_ABSENT = object()


def require(keys: Keys, path: str, name: str, what: str) -> None:
    """Refuse a file whose class at a path is another one than that which can be read."""
    found = keys.take(path)
    if found is None:
        keys.refuse(Found(path, "absent"), f"must be {name}, {what}")
    elif str(found.value).rpartition(".")[2] != name:
        keys.refuse(found, f"is not {name}, {what}, the one that can be read")
    else:
        keys.read_as(found, what)


def is_none(value: Any) -> bool:
    """Whether a value says that there is nothing: null, or the word none."""
    return value is None or (isinstance(value, str) and value.strip().lower() in ("", "none", "null"))


def number(value: Any) -> float | None:
    """A number, also one that YAML leaves as a word (1e-4 without a point); None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def numbers(value: Any) -> list[float] | None:
    """A list of numbers; None for anything else."""
    found = [number(item) for item in value] if isinstance(value, list) else [None]
    return [item for item in found if item is not None] if None not in found else None


def integer(value: Any) -> int | None:
    """A whole number; None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == found // 1 else None


def boolean(value: Any) -> bool | None:
    """A yes or no, also as a word; None for anything else."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value if isinstance(value, bool) else None


def _leaves(tree: dict[str, Any], above: str) -> Iterator[Found]:
    if above.count(".") > _MOST_LEVELS:
        raise ConfigError(
            f"The keys {above[:_LONGEST]}... lie more than {_MOST_LEVELS} levels deep. Give a generation file."
        )
    for name, value in tree.items():
        key = f"{above}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
        else:
            yield Found(key, value)


def _short(value: Any) -> str:
    words = " ".join((value if isinstance(value, str) else _SHORT.repr(value)).split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."
