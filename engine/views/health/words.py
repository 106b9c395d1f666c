"""What the numbers of a health card mean, a sentence each: what is there, and what is good.

Thresholds lie between what `references.py` measured of trained encoders and of random weights.
"""

from __future__ import annotations

from engine.views.health.card import LayerHealth
from engine.views.health.imagery import Following

GOOD_POSITION, GOOD_SEAM, GOOD_BORDER, GOOD_RANK = 0.1, 1.15, 1.5, 5.0
# Trained encoders and random features of the scenes: up to 0.60. Random weights: from 0.64 on. So are raw pixels, which
# have no other sign of random weights.
RANDOM_MEAN = 0.62
# Random weights have at least one of these besides; trained ones of Galileo have the first two, but not that mean.
_RANDOM_POSITION, _RANDOM_SEAM, _EQUAL_NORMS = 0.15, 1.3, 1.05
# One index explains so much of reflectance itself; of trained encoders a fifth at most.
MOST_FOLLOWING = 0.5
# Trained encoders move by 0.2 to 0.75 of the distance between any two patches.
MOST_SHIFT = 0.8


def sentences(found: LayerHealth) -> dict[str, str]:
    """Number -> a sentence for a person."""
    return {
        "position_share": _position(found.position_share),
        "seam_score": _seam(found.seam_score),
        "border_share": _border(found.border_share),
        "effective_rank": _rank(found.effective_rank, found.dim),
        "dead_channels": _dead(found.dead_channels, found.dim),
        "dominating_channels": _dominating(found.dominating_channels),
        "norm_median": f"Half of the embeddings are longer than {found.norm_median:g}; no length is good or bad by itself.",
        "norm_spread": _norms(found.norm_spread),
        "mean_share": _mean(found.mean_share),
        "spectrum": _spectrum(found.spectrum),
        "following": _following(found.following),
        "shift_sensitivity": _shift(found.shift_sensitivity),
    }


def signs_of_random_weights(found: LayerHealth) -> tuple[str, ...]:
    """Why the numbers look like those of random weights, in words; none where they do not.

    All random weights of `references.py` have an embedding that is mostly the same everywhere and one sign more; no
    trained encoder has.
    """
    others = [
        told
        for is_so, told in (
            (
                (found.position_share or 0) >= _RANDOM_POSITION,
                "the place in the window explains much of them",
            ),
            ((found.seam_score or 0) >= _RANDOM_SEAM, "they jump at the borders of tiles"),
            (
                found.norm_spread is not None and found.norm_spread < _EQUAL_NORMS,
                "all have the same length",
            ),
        )
        if is_so
    ]
    if found.mean_share < RANDOM_MEAN or not others:
        return ()
    return (f"{found.mean_share:.0%} of each embedding is what all have in common", *others)


def verdict(found: LayerHealth) -> str:
    """The card in one sentence."""
    signs = signs_of_random_weights(found)
    if signs:
        return f"These numbers look like those of random weights: {', and '.join(signs)}."
    concerns = [
        told
        for is_so, told in (
            ((found.position_share or 0) >= GOOD_POSITION, "position"),
            ((found.seam_score or 0) > GOOD_SEAM, "seams"),
            ((found.border_share or 0) > GOOD_BORDER, "the border"),
            (found.effective_rank < min(GOOD_RANK, found.dim / 2), "few directions"),
            (bool(found.dead_channels), "dead channels"),
            (bool(found.dominating_channels), "dominating channels"),
        )
        if is_so
    ]
    if not concerns:
        return "These numbers are those of a trained encoder in good health."
    return f"No sign of random weights; to look at: {', '.join(concerns)}."


def _position(share: float | None) -> str:
    if share is None:
        return "No place in a window was seen twice, so that position cannot be told from ground."
    told = f"{share:.1%} of the variance is where a patch lies in its window"
    if share < GOOD_POSITION:
        return f"{told}: good, for below {GOOD_POSITION:.0%} pictures show the ground."
    return (
        f"{told}: pictures show a grid that repeats from window to window. Below {GOOD_POSITION:.0%} is good; take it "
        f"off with --position remove."
    )


def _seam(score: float | None) -> str:
    if score is None:
        return "No tile has a neighbour, so that there are no seams to measure."
    told = f"Across the borders of tiles embeddings change {score:.2f} times as much as inside"
    if score <= GOOD_SEAM:
        return f"{told}: good, for up to {GOOD_SEAM:g} no border is seen."
    return f"{told}: borders show. Up to {GOOD_SEAM:g} is good; set tiles.overlap_px and merge: blend."


def _border(share: float | None) -> str:
    if share is None:
        return "There are no patches both at the border and inside to compare."
    told = f"The outermost patches hold {share:.2f} times their share of the variance of the first three components"
    if share <= GOOD_BORDER:
        return f"{told}: good, for up to {GOOD_BORDER:g} the picture is not one of its border."
    return f"{told}: padding shows. Up to {GOOD_BORDER:g} is good; set tiles.overlap_px, or look at another layer."


def _rank(rank: float, dim: int) -> str:
    told = f"The variance is spread over about {rank:.1f} of {dim} directions"
    if rank >= min(GOOD_RANK, dim / 2):
        return f"{told}: good, for from {GOOD_RANK:g} on embeddings tell of more than brightness."
    return f"{told}: reflectance itself fills 2 to 5. From {GOOD_RANK:g} on is good; look at another layer."


def _dead(count: int, dim: int) -> str:
    if not count:
        return f"All {dim} numbers of an embedding vary: good."
    return (
        f"{count} of {dim} numbers of an embedding never vary; none is good. Check the bands and the weights."
    )


def _dominating(count: int) -> str:
    if not count:
        return "No number of an embedding holds most of the variance by itself: good."
    return (
        f"{count} number(s) vary more than 100 times as much as the middle one and decide every distance; none is good. "
        f"Whiten before comparing."
    )


def _norms(spread: float | None) -> str:
    if spread is None:
        return "Some embeddings are zero throughout; none is good."
    told = f"The longest embeddings are {spread:.2f} times as long as the shortest (95th over 5th percentile)"
    if spread < _EQUAL_NORMS:
        return f"{told}: all alike, as from a transformer with random weights. Trained ones have 1.1 to 3."
    return f"{told}; trained encoders have 1.1 to 3."


def _mean(share: float) -> str:
    told = f"{share:.0%} of the mean squared length is the mean of all embeddings"
    if share < RANDOM_MEAN:
        return f"{told}: good, for trained encoders have up to 56 %."
    return f"{told}: most of an embedding is the same everywhere. Random weights have 64 % and more, trained ones up to 56 %."


def _spectrum(shares: tuple[float, ...]) -> str:
    first, three = shares[0], sum(shares[:3])
    told = f"The first component holds {first:.0%} of the variance, the first three {three:.0%}"
    if first <= MOST_FOLLOWING:
        return f"{told}: good, for with up to {MOST_FOLLOWING:.0%} in the first there is more to see than light and dark."
    return f"{told}: one direction rules. Up to {MOST_FOLLOWING:.0%} in the first is good; look at another layer."


def _following(found: Following | None) -> str:
    if found is None:
        return "The scenes are not here, or lack the bands, so that the components cannot be held against the imagery."
    told = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    said = f"Of the first three components a straight line explains: {told}"
    if max(found.shares.values()) < MOST_FOLLOWING:
        return f"{said}: good, for below {MOST_FOLLOWING:.0%} they are more than an index."
    return (
        f"{said}: they are an index of the bands to a large part, as reflectance itself is. Below {MOST_FOLLOWING:.0%} is "
        f"good."
    )


def _shift(moved: float | None) -> str:
    if moved is None:
        return "Not measured, for it needs the encoder: run `python -m engine health STORE --shift`."
    told = f"A window that lies one pixel further moves an embedding by {moved:.2f} of the distance between any two patches"
    if moved <= MOST_SHIFT:
        return f"{told}: good, for trained encoders have 0.2 to 0.75."
    return f"{told}: what is seen depends on where tiles begin. Up to {MOST_SHIFT:g} is good; set tiles.overlap_px and merge: blend."
