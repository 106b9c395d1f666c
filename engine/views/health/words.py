"""What the numbers of a health card mean: a table of measures, each with a sentence that says what is there and what is good.

Thresholds lie between what `references.py` measured of trained encoders and of random weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.views.health.card import LayerHealth
from engine.views.position import Position

GOOD_POSITION, GOOD_RANK = 0.1, 5.0
# Trained encoders and random features of the scenes: up to 0.60. Random weights: from 0.64 on. So are raw pixels, which
# have no other sign of random weights.
RANDOM_MEAN = 0.62
# Random weights have at least one of these besides; trained ones of Galileo have the first two, but not that mean.
_RANDOM_POSITION, _RANDOM_SEAM, _EQUAL_NORMS = 0.15, 1.3, 1.05
_UNIT_LENGTH = "All embeddings were brought to length 1, as trained encoders' often are: good, for directions alone then count."


@dataclass(frozen=True)
class Measure:
    """A number of the card and how it is told.

    Attributes:
        name: of the attribute of `LayerHealth`; `Reference` has most of them under the same name.
        title: on the page.
        told: what the number says; {value} is the number, {found} the layer.
        good, bad: what follows where it is within `least` and `most`, and where it is not.
        unknown: the sentence where a store cannot tell.
        unknown_of_others: the same of embeddings that others made, where the reason is another.
        least, most: from where to where it is good, both included; None: no end. Without both, nothing is judged.
        concern: what there is to look at where it is bad, for the verdict; empty: the verdict leaves it out.
    """

    name: str
    title: str
    told: str
    good: str = ""
    bad: str = ""
    unknown: str = ""
    unknown_of_others: str = ""
    least: float | None = None
    most: float | None = None
    concern: str = ""

    def bounds(self, found: LayerHealth) -> tuple[float | None, float | None]:
        """From where to where it is good; an embedding of few numbers cannot have many directions, and one of length 1 has it by choice."""
        if self.name == "norm_spread" and found.is_unit_length:
            return None, None
        if self.name == "effective_rank":
            return min(GOOD_RANK, found.dim / 2), None
        return self.least, self.most

    def is_good(self, found: LayerHealth) -> bool:
        """Whether the number is good; also where a store cannot tell."""
        value, (least, most) = getattr(found, self.name), self.bounds(found)
        return value is None or ((least is None or value >= least) and (most is None or value <= most))

    def sentence(self, found: LayerHealth, is_of_others: bool = False) -> str:
        """What is there, and what is good.

        Args:
            is_of_others: whether others made the embeddings, whose encoder and images are not here.
        """
        value = getattr(found, self.name)
        if value is None:
            return (self.unknown_of_others if is_of_others else "") or self.unknown
        if self.name == "norm_spread" and found.is_unit_length:
            return _UNIT_LENGTH
        told = self.told.format(value=value, found=found)
        if not self.good:
            return f"{told}; {self.bad}."
        return f"{told}: good, {self.good}." if self.is_good(found) else f"{told}: {self.bad}."


MEASURES = (
    Measure(
        "position_share", "Position share", "{value:.1%} of the variance is where a patch lies in its window",
        "for up to 10% pictures show the ground",
        "pictures show a grid that repeats from window to window. Up to 10% is good; take it off with --position remove",
        "Hardly any place in a window was seen twice, so that position cannot be told from ground.",
        most=GOOD_POSITION, concern="position",
    ),
    Measure(
        "seam_score", "Seam score", "Across the borders of tiles embeddings change {value:.2f} times as much as inside",
        "for up to 1.15 no border is seen", "borders show. Up to 1.15 is good; set tiles.overlap_px and merge: blend",
        "No tile has a neighbour, so that there are no seams to measure.", most=1.15, concern="seams",
    ),
    Measure(
        "border_share", "Border share",
        "The outermost patches hold {value:.2f} times their share of the variance of the first three components",
        "for up to 1.5 the picture is not one of its border",
        "padding shows. Up to 1.5 is good; set tiles.overlap_px, or look at another layer",
        "There are no patches both at the border and inside to compare.", most=1.5, concern="the border",
    ),
    Measure(
        "effective_rank", "Effective rank", "The variance is spread over about {value:.1f} of {found.dim} directions",
        "for from 5 on embeddings tell of more than brightness",
        "reflectance itself fills 2 to 5. From 5 on is good; look at another layer", concern="few directions",
    ),
    Measure(
        "dead_channels", "Dead channels", "{value} of {found.dim} numbers of an embedding never vary",
        "for all say something", "they say nothing. None is good; check the bands and the weights", most=0,
        concern="dead channels",
    ),
    Measure(
        "dominating_channels", "Dominating channels",
        "{value} of {found.dim} numbers of an embedding vary more than 100 times as much as the middle one",
        "for none decides distances by itself", "they decide every distance. None is good; whiten before comparing", most=0,
        concern="dominating channels",
    ),
    Measure(
        "norm_median", "Median length", "Half of the embeddings are longer than {value:g}",
        bad="no length is good or bad by itself",
    ),
    Measure(
        "norm_spread", "Spread of lengths",
        "The longest embeddings are {value:.2f} times as long as the shortest (95th over 5th percentile)",
        "for trained encoders have 1.1 to 3", "all alike, as from a transformer with random weights. Trained ones have 1.1 to 3",
        "Some embeddings are zero throughout; none is good.", least=_EQUAL_NORMS,
    ),
    Measure(
        "mean_share", "In common", "{value:.0%} of the mean squared length is the mean of all embeddings",
        "for trained encoders have up to 56%",
        "most of an embedding is the same everywhere. Random weights have 64% and more, trained ones up to 56%", most=RANDOM_MEAN,
    ),
    Measure(
        "first_component", "First component",
        "The first component holds {value:.0%} of the variance, the first three {found.first_three:.0%}",
        "for with up to 50% in the first there is more to see than light and dark",
        "one direction rules. Up to 50% in the first is good; look at another layer", most=0.5,
    ),
    Measure(
        "most_following", "Most that one index explains",
        "Of the first three components a straight line explains: {found.following_in_words}",
        "for up to 50% they are more than an index",
        "they are an index of the bands to a large part, as reflectance itself is. Up to 50% is good",
        "The scenes are not here, or lack the bands, so that the components cannot be held against the imagery.",
        "Others made these embeddings, and the images are not here: the components cannot be held against the imagery.", most=0.5,
    ),
    Measure(
        "shift_sensitivity", "Shift by one pixel",
        "A window that lies one pixel further moves an embedding by {value:.2f} of the distance between any two patches",
        "for trained encoders have 0.2 to 0.75",
        "what is seen depends on where tiles begin. Up to 0.8 is good; set tiles.overlap_px and merge: blend",
        "Not measured, for it needs the encoder: a button on the card does it, or `python -m engine health STORE --shift`.",
        "Others made these embeddings, and it takes their encoder and images to measure it.",
        most=0.8,
    ),
)  # fmt: skip


def usual_position(share: float | None) -> Position:
    """Taken off where the place in the window explains more of the variance than is good; kept where nobody can tell."""
    return "remove" if share is not None and share >= GOOD_POSITION else "keep"


def sentences(found: LayerHealth, is_of_others: bool = False) -> dict[str, str]:
    """Number -> a sentence for a person.

    Args:
        is_of_others: whether others made the embeddings.
    """
    return {measure.name: measure.sentence(found, is_of_others) for measure in MEASURES}


def measure_named(name: str) -> Measure:
    """The measure of an attribute."""
    return next(measure for measure in MEASURES if measure.name == name)


def signs_of_random_weights(found: LayerHealth) -> tuple[str, ...]:
    """Why the numbers look like those of random weights, in words; none where they do not.

    All random weights of `references.py` have an embedding that is mostly the same everywhere and one sign more; no
    trained encoder has. Position has to be kept: taking it off takes signs off.
    """
    signs = {
        "the place in the window explains much of them": (found.position_share or 0) >= _RANDOM_POSITION,
        "they jump at the borders of tiles": (found.seam_score or 0) >= _RANDOM_SEAM,
        "all have the same length": found.norm_spread is not None
        and found.norm_spread < _EQUAL_NORMS
        and not found.is_unit_length,
    }
    others = [told for told, is_so in signs.items() if is_so]
    if found.mean_share < RANDOM_MEAN or not others:
        return ()
    return (f"{found.mean_share:.0%} of each embedding is what all have in common", *others)


def verdict(found: LayerHealth, position: Position = "keep") -> str:
    """The card in one sentence.

    Args:
        position: how the layer was measured.
    """
    concerns = [measure.concern for measure in MEASURES if measure.concern and not measure.is_good(found)]
    to_look_at = f"to look at: {', '.join(concerns)}" if concerns else "nothing stands out"
    if position == "remove":
        return f"With position taken off, {to_look_at}. Only the card that keeps it can tell random weights."
    signs = signs_of_random_weights(found)
    if signs:
        return f"These numbers look like those of random weights: {', '.join(signs)}."
    if not concerns:
        return "No sign of random weights, and nothing stands out: so are encoders in good health."
    return f"No sign of random weights; {to_look_at}."
