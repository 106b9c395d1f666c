"""Sentences and verdicts of the health card hold for every encoder that was measured."""

from __future__ import annotations

import pytest

from engine.views.health.card import LayerHealth
from engine.views.health.imagery import Following
from engine.views.health.references import REFERENCES, Reference
from engine.views.health.words import MEASURES, sentences, signs_of_random_weights, verdict


def card_of(one: Reference) -> LayerHealth:
    return LayerHealth(
        layer=0, dim=one.dim, position_share=one.position_share, seam_score=one.seam_score, border_share=one.border_share,
        effective_rank=one.effective_rank, dead_channels=0, dominating_channels=0, norm_median=12.0, norm_spread=one.norm_spread,
        mean_share=one.mean_share, spectrum=(one.first_component, 0.1, 0.05),
        following=Following({"NDVI": one.most_following}, {"NDVI": (0.1, 0.2, 0.3)}), shift_sensitivity=one.shift_sensitivity,
    )  # fmt: skip


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.kind} {one.title}")
def test_random_weights_are_recognised_from_the_card_alone_and_nothing_else_is(one: Reference) -> None:
    assert bool(signs_of_random_weights(card_of(one))) == (one.kind == "random")
    assert ("random weights: " in verdict(card_of(one))) == (one.kind == "random")


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.kind} {one.title}")
def test_every_number_has_a_sentence_that_says_what_is_good(one: Reference) -> None:
    for name, sentence in sentences(card_of(one)).items():
        assert (sentence.endswith(".") and "good" in sentence) or "trained" in sentence.lower(), name


def test_what_was_not_measured_is_said() -> None:
    facts = vars(card_of(REFERENCES[0])) | dict.fromkeys(
        ("position_share", "seam_score", "border_share", "norm_spread", "following", "shift_sensitivity")
    )
    told = sentences(LayerHealth(**facts))
    assert "--shift" in told["shift_sensitivity"]
    assert "scenes are not here" in told["most_following"]
    assert "nothing stands out" in verdict(LayerHealth(**facts))


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.kind} {one.title}")
def test_a_sentence_judges_as_the_verdict_does(one: Reference) -> None:
    found = card_of(one)
    for measure in MEASURES:
        assert (": good, " in measure.sentence(found)) == (bool(measure.good) and measure.is_good(found))
        if measure.concern and not signs_of_random_weights(found):
            assert (measure.concern in verdict(found)) != measure.is_good(found)


@pytest.mark.parametrize("one", REFERENCES, ids=lambda one: f"{one.kind} {one.title}")
def test_the_verdict_never_calls_weights_trained_where_it_cannot_know(one: Reference) -> None:
    """Features that were never trained look healthy too, and position that is taken off takes signs of random weights off."""
    assert "trained" not in verdict(card_of(one))
    assert "Only the card that keeps it can tell random weights" in verdict(card_of(one), "remove")


def test_embeddings_that_were_brought_to_length_1_are_not_called_random_for_it() -> None:
    """AlphaEarth's all have length 1 by definition, and much of each is what all have in common."""
    facts = vars(card_of(REFERENCES[0])) | {"norm_median": 1.0, "norm_spread": 1.0, "mean_share": 0.7}
    assert signs_of_random_weights(LayerHealth(**facts | {"norm_median": 12.0}))
    assert not signs_of_random_weights(LayerHealth(**facts))
    assert "length 1" in sentences(LayerHealth(**facts))["norm_spread"]


def test_of_embeddings_that_others_made_no_measurement_is_offered_that_needs_their_encoder() -> None:
    facts = vars(card_of(REFERENCES[0])) | {"following": None, "shift_sensitivity": None}
    told = sentences(LayerHealth(**facts), is_of_others=True)
    assert "--shift" not in told["shift_sensitivity"]
    assert all(
        "Others made these embeddings" in told[name] for name in ("shift_sensitivity", "most_following")
    )


def test_every_number_of_the_references_that_is_judged_has_the_same_name_on_the_card() -> None:
    judged = {measure.name for measure in MEASURES if measure.good} - {"dead_channels", "dominating_channels"}
    assert judged <= set(vars(REFERENCES[0]))
