"""What the numbers of a health card mean, a sentence each: what is there, and what is good.

Thresholds are from measurements on the sample scene, `assets/samples/virginia.tif`, with each card's own tiles and
without overlap. Reflectance as it is (`raw`): position 0.04, seam 0.97, border 0.97, rank 2.2. EfficientNet-Lite0: 0.05,
1.10, 0.99, 24 of 40. csmask, two layers: 0.05 and 0.09, 1.33 and 1.75, 1.04 and 1.11, 21 of 32 and 31 of 96. Galileo
nano (patches of 4 px, windows of 32 px): 0.64, 1.73, 0.99, 17 of 128. With random weights EfficientNet-Lite0: 0.46, 2.80,
2.49, 13 of 40; csmask: 0.09 and 0.11, 3.92 and 4.56, 0.97 and 1.02, 2.9 of 96 and 2.7 of 32; Galileo nano: 0.96, 0.84,
0.96, 14 of 128; Prithvi tiny: 0.35, 1.96, 1.02, 9 of 192; a ViT of timm: 0.06, 1.01, 0.63, 19 of 192.
"""

from __future__ import annotations

from engine.views.health.card import LayerHealth

_GOOD_POSITION, _GOOD_SEAM, _GOOD_BORDER, _GOOD_RANK = 0.1, 1.15, 1.5, 5.0
# Lengths of embeddings spread by 1.2 to 3 with trained weights; with random ones a final norm makes them equal (1.02 or
# less).
_EQUAL_NORMS = 1.05


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
    }


def _position(share: float | None) -> str:
    if share is None:
        return "No place in a window was seen twice, so that position cannot be told from ground."
    told = f"{share:.1%} of the variance is where a patch lies in its window"
    if share < _GOOD_POSITION:
        return f"{told}: good, for below {_GOOD_POSITION:.0%} pictures show the ground."
    return (
        f"{told}: pictures show a grid that repeats from window to window. Below {_GOOD_POSITION:.0%} is good; take it "
        f"off with --position remove."
    )


def _seam(score: float | None) -> str:
    if score is None:
        return "No tile has a neighbour, so that there are no seams to measure."
    told = f"Across the borders of tiles embeddings change {score:.2f} times as much as inside"
    if score <= _GOOD_SEAM:
        return f"{told}: good, for up to {_GOOD_SEAM:g} no border is seen."
    return f"{told}: borders show. Up to {_GOOD_SEAM:g} is good; set tiles.overlap_px and merge: blend."


def _border(share: float | None) -> str:
    if share is None:
        return "There are no patches both at the border and inside to compare."
    told = f"The outermost patches hold {share:.2f} times their share of the variance of the first three components"
    if share <= _GOOD_BORDER:
        return f"{told}: good, for up to {_GOOD_BORDER:g} the picture is not one of its border."
    return f"{told}: padding shows. Up to {_GOOD_BORDER:g} is good; set tiles.overlap_px, or look at another layer."


def _rank(rank: float, dim: int) -> str:
    told = f"The variance is spread over about {rank:.1f} of {dim} directions"
    if rank >= min(_GOOD_RANK, dim / 2):
        return f"{told}: good, for from {_GOOD_RANK:g} on embeddings tell of more than brightness."
    return f"{told}: reflectance itself fills 2. From {_GOOD_RANK:g} on is good; look at another layer."


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
        return f"{told}: all alike, as from a transformer with random weights. Trained ones have 1.2 to 3."
    return f"{told}; trained encoders have 1.2 to 3."
