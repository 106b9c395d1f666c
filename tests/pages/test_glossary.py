"""Words of the field are explained where they first stand, and nothing else becomes HTML."""

from __future__ import annotations

import pytest

from pages.ui.look import glossary


def test_a_word_is_marked_once_with_its_sentence_and_the_rest_is_escaped() -> None:
    found = glossary.explained("A backbone <b> sees patches; the backbone's patch has an IoU & more")
    assert found.count("<abbr") == 3
    assert "&lt;b&gt;" in found
    assert "&amp; more" in found
    assert ">backbone</abbr>" in found
    assert ">patches" not in found or "patches</abbr>" in found


def test_a_part_of_a_word_is_none() -> None:
    assert "<abbr" not in glossary.explained("headlines overlayer dispatched")


def test_an_explanation_is_not_marked_itself() -> None:
    for word, meaning in glossary.WORDS.items():
        found = glossary.explained(f"The {word} stands here.")
        assert found.count("<abbr") == 1, word
        assert meaning.split(".")[0].replace("'", "&#x27;") in found


@pytest.mark.parametrize(
    "word", ["patch", "layer", "head", "IoU", "NBR", "seam score", "norm", "whitened", "conv", "MLP", "UMAP", "rcf", "split"]
)  # fmt: skip
def test_words_that_newcomers_ask_for_have_a_sentence_of_their_own(word: str) -> None:
    assert len(glossary.WORDS[word].split()) >= 4
    assert glossary.meaning(word).endswith(".")


def test_several_of_a_thing_are_the_same_word() -> None:
    assert ">patches</abbr>" in glossary.explained("of 3 patches")
    assert glossary.explained("masks, masks").count("<abbr") == 1
