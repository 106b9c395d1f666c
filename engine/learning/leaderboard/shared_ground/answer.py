"""What an annual product is worth beside embeddings of a date, in sentences that need no statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.learning.leaderboard.verdict import score_words
from engine.learning.tasks.task import Task
from engine.store.products.known import ANNUAL_MODELS
from engine.store.schema import StoreMeta

Facts = Mapping[str, Any]


def is_annual(meta: StoreMeta) -> bool:
    """Whether a store's embeddings each stand for a year."""
    return meta.backbone in ANNUAL_MODELS


def answer_of(chosen: Sequence[Facts], difference: Callable[[Facts, Facts], Facts], task: Task) -> str:
    """The answer on these data; empty where there is no annual product, or nothing beside it.

    Args:
        chosen: the row of each backbone that is best on validation.
        difference: of the scores of two rows on the same places, first minus second.
    """
    annual = [one for one in chosen if one["is_annual"]]
    dated = [one for one in chosen if not one["is_annual"]]
    if not annual or not dated:
        return ""
    product, other = (max(rows, key=lambda one: one["validation_mean"] or 0.0) for rows in (annual, dated))
    return _in_words(product, other, difference(other, product), task)


def _in_words(annual: Facts, dated: Facts, found: Facts, task: Task) -> str:
    """Both scores, and how sure their difference is.

    Args:
        found: dated minus annual.
    """
    name = score_words(task.watch, {one.key: one.title for one in task.classes})
    scores = [row[f"{task.watch}_mean"] for row in (dated, annual)]
    if None in scores or found["value"] is None:
        return f"Annual {annual['backbone']} and dated {dated['backbone']} cannot be compared: a score is undefined."
    told = (
        f"On these {found['places']} test places dated {dated['backbone']} reaches {scores[0]:.3f} and annual {annual['backbone']} "
        f"{scores[1]:.3f} ({name})."
    )
    return f"{told} {_how_sure(found)}"


def _how_sure(found: Facts) -> str:
    value, leader = found["value"], "dated" if found["value"] > 0 else "annual"
    if found["interval"] is None:
        return (
            f"The {leader} one leads by {abs(value):.3f}, and so few places cannot tell whether it does elsewhere: take more fires "
            f"into the test."
        )
    ends = found["interval"] if value > 0 else [-end for end in reversed(found["interval"])]
    if found["is_clear"]:
        return (
            f"The {leader} one is better by {abs(value):.3f}; on other places like these it would be by {ends[0]:.3f} to {ends[1]:.3f} "
            f"(95 % interval)."
        )
    return (
        f"Which is better is not sure: the {leader} one leads by {abs(value):.3f}, and on other places like these its lead would be "
        f"{ends[0]:+.3f} to {ends[1]:+.3f} (95 % interval)."
    )
