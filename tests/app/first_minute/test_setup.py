"""The two networks of the first minute, and the sentence that they are drawn on."""

from __future__ import annotations

import pytest

from app.first_minute.setup import MAX_WORDS, SEEDS, SHARED, SHORTEST, FirstMinute, begins, read_words, sentence


def test_every_length_shows_the_sentence_of_which_the_page_speaks():
    assert len(SEEDS) == MAX_WORDS + 1
    for words in range(MAX_WORDS + 1):
        rnn, lstm = FirstMinute(words).lanes
        assert begins(sentence(rnn)) and sentence(rnn) == sentence(lstm)
        assert len(sentence(rnn)) == SHORTEST + words and sentence(rnn)[-1] == "for"
    assert sentence(FirstMinute(0).lanes[0]) == ["they", "wanted", "more", "for"]


@pytest.mark.full
def test_the_seeds_are_the_first_with_such_a_sentence():
    for words, seed in enumerate(SEEDS):
        length = SHORTEST + words
        assert not any(begins(sentence(SHARED.replace(seq_len=length, seed=earlier))) for earlier in range(seed))


def test_the_networks_differ_in_their_cell_alone():
    rnn, lstm = FirstMinute(7).lanes
    assert (rnn.cell, lstm.cell) == ("rnn", "lstm") and lstm.replace(cell="rnn", forget_bias=None) == rnn


def test_what_is_no_number_of_words_is_not_read():
    assert [read_words(raw) for raw in ("0", "30", 12)] == [0, 30, 12]
    assert not any(
        read_words(raw) is not None for raw in ("31", "-1", "1.5", "many", "", "9" * 50, 31, -1, 2.0, True, None)
    )
