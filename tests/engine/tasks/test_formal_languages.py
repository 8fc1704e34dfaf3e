"""Counting and Reber's grammar: every string is checked by a regular expression, not by the task's own automaton."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import TASKS, Batch, sample
from tests.cases import grid
from tests.engine.tasks.conftest import answers_of, least_loss, no_input

MIDDLE = "(?:XT*VP)*(?:S|XT*VV)"  # what may follow the first X of the upper road, or a P after V
REBER = re.compile(f"B(?:TS*X{MIDDLE}|PT*V(?:V|P{MIDDLE}))E")


def of(slug: str, count: int, split: str = "train", **settings: int) -> Batch:
    return sample(Experiment(task=slug, rnn_type="many_to_many", **settings), count, 1, split)


def texts(slug: str, batch: Batch) -> list[str]:
    """Every sequence as it is read and, behind it, its last answer."""
    labels = TASKS[slug].input_labels
    return [
        "".join(labels[each] for each in [*read[:length], targets[length - 1]])
        for read, targets, length in zip(batch.inputs.T, batch.targets.T, batch.lengths, strict=True)
    ]


# ---- counting


@pytest.mark.parametrize(("seq_len", "largest"), [(9, 4), (10, 4), (41, 20), (401, 200)])
def test_as_many_b_follow_as_there_were_a_and_one_count_in_five_is_held_out(seq_len, largest):
    for split, held_out in (("train", False), ("test", True)):
        result = set()
        for text in texts("count", of("count", 3000, split, seq_len=seq_len)):
            n = text.count("a")
            assert text == "." + "a" * n + "b" * n + "."
            result.add(n)
        assert result == {n for n in range(1, largest + 1) if (n % 5 == 3) == held_out}


def test_asked_is_exactly_what_is_certain():
    """The next symbol where every string of the language that begins so goes on alike, but for the very first."""
    language = ["." + "a" * n + "b" * n + "." for n in range(1, 50)]
    batch = of("count", 200)
    for text, counted in zip(texts("count", batch), batch.mask.T, strict=True):
        for t in range(1, len(text) - 1):
            following = {each[t + 1] for each in language if each.startswith(text[: t + 1])}
            assert counted[t] == (len(following) == 1)
        assert not counted[0]  # that a string begins with a is no counting


@pytest.mark.parametrize("seq_len", grid([9, 41, 60], kept=lambda at: at < 2))
def test_the_bar_of_counting_is_that_of_seeing_one_letter(seq_len):
    """Over every count alike; over those of one split it is not far from that."""
    numbers = range(1, (seq_len - 1) // 2 + 1)
    answers = [("b", letter, 1 / n) for n in numbers for letter in "b" * (n - 1) + "."]
    e = Experiment(task="count", rnn_type="many_to_many", seq_len=seq_len)
    (bar,) = TASKS["count"].baselines(e).values()
    assert bar == pytest.approx(least_loss(answers), rel=1e-12)
    for split, near in (("train", 0.04), ("test", 0.15)) if seq_len > 9 else ():
        known = least_loss(answers_of(of("count", 20_000, split, seq_len=seq_len), lambda batch, t, column: "b"))
        assert known == pytest.approx(bar, rel=near)


@pytest.mark.parametrize(("typed", "read", "following"), [("aaab", ".aaab", "b"), ("a a b b", ".aabb", ".")])
def test_a_beginning_can_be_typed(typed, read, following):
    e = Experiment(task="count", rnn_type="many_to_many")
    batch = TASKS["count"].encode(e, typed)
    assert texts("count", batch) == [read + following]
    assert batch.mask[:, 0].tolist() == [sign == "b" for sign in read]


def test_more_than_in_training_can_be_typed():
    typed = TASKS["count"].encode(Experiment(task="count", rnn_type="many_to_many"), "a" * 150 + "b")
    assert texts("count", typed) == ["." + "a" * 150 + "b" + "b"]


@pytest.mark.parametrize("typed", ["ba", "abb", "aba", "aaaa"])
def test_what_is_no_beginning_is_refused(typed):
    with pytest.raises(ValueError, match=f"at least one b and no more b than a can be read here, but got “{typed}”"):
        TASKS["count"].encode(Experiment(task="count", rnn_type="many_to_many"), typed)


# ---- Reber's grammar


def strings_of(length: int) -> list[str]:
    """Every string of the grammar with so many symbols, tried one by one."""
    return [text for text in ("".join(("B", *inner, "E")) for inner in product("TPSXV", repeat=length - 2))
            if REBER.fullmatch(text)]  # fmt: skip


def test_the_expression_is_reber_s_grammar():
    """Against strings that are printed with the grammar: Cleeremans, Servan-Schreiber and McClelland (1989) and
    Hochreiter and Schmidhuber (1997) draw the same map."""
    assert strings_of(5) == ["BTXSE", "BPVVE"]
    assert strings_of(6) == ["BTSXSE", "BPTVVE", "BPVPSE"]
    for text in ("BTSSXXTVVE", "BPTVPXTVPSE", "BPVPXVVE", "BTXXTTVVE"):
        assert REBER.fullmatch(text)
    for text in ("BTE", "BTXXE", "BPVE", "BTSXPE", "BPTTXSE"):
        assert not REBER.fullmatch(text)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seq_len", [5, 30, 400])
def test_string_follows_string(seq_len, split):
    for text in texts("reber", of("reber", 200, split, seq_len=seq_len)):
        assert len(text) == seq_len + 1
        *whole, last = re.split("(?<=E)", text)
        assert all(REBER.fullmatch(each) for each in whole)
        assert (
            not last
            or any(REBER.fullmatch(last + rest) for rest in ("XSE", "SE", "VVE", "VE", "E", "TXSE"))
            or last == "B"
        )


def test_both_arcs_are_taken_alike():
    """A string of n symbols takes n - 2 choices: its chance is one half to that power."""
    first = Counter(
        text[: text.index("E") + 1] for text in texts("reber", of("reber", 20_000, seq_len=60)) if "E" in text
    )
    for length in (5, 6, 7):
        for text in strings_of(length):
            expected = 20_000 / 2 ** (length - 2)
            assert abs(first[text] - expected) < 4 * expected**0.5, text


def two_symbols(batch: Batch, t: int, column: int) -> tuple[int, ...]:
    return tuple(batch.inputs[max(t - 1, 0) : t + 1, column].tolist())


@pytest.mark.parametrize("seq_len", grid([5, 30], kept=lambda at: at == 1))
def test_the_baselines_of_reber_are_what_is_left_to_guess(seq_len):
    """Unigram; and the best, which two symbols suffice for, as the lag says, and all symbols do not better."""
    batch = of("reber", 90_000 // seq_len, seq_len=seq_len)
    losses = [least_loss(answers_of(batch, known)) for known in (no_input, two_symbols)]
    e = Experiment(task="reber", rnn_type="many_to_many", seq_len=seq_len)
    assert list(TASKS["reber"].baselines(e).values()) == pytest.approx(losses, rel=0.01)
    one = least_loss(answers_of(batch, lambda batch, t, column: int(batch.inputs[t, column])))
    assert one > 1.1 * losses[1]


def test_the_metric_asks_for_an_allowed_symbol_not_for_the_one_that_came():
    """After BTS comes S or X."""
    labels = TASKS["reber"].output_labels
    batch = TASKS["reber"].encode(Experiment(task="reber", rnn_type="many_to_many"), "BTSXSEB")
    for symbols, share in (("TSXSEBP", 1.0), ("PXSXEBT", 1.0), ("TSSSEBS", 6 / 7), ("BBBBBBB", 1 / 7)):
        outputs = np.eye(7)[[[labels.index(symbol)] for symbol in symbols]]
        assert TASKS["reber"].metric.measure(batch, outputs) == pytest.approx(share), symbols


# ---- embedded


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seq_len", [8, 9, 20, 200])
def test_the_outer_symbol_comes_back_around_a_whole_string(seq_len, split):
    batch = of("embedded_reber", 300, split, seq_len=seq_len)
    for text in texts("embedded_reber", batch):
        assert len(text) == seq_len + 1
        assert text[1] == text[-2] and text[1] in "TP" and text[0] + text[-1] == "BE"
        assert REBER.fullmatch(text[2:-2])


def test_the_one_asked_for_is_the_second_outer_symbol_and_lies_as_far_back_as_the_lag_says():
    e = Experiment(task="embedded_reber", rnn_type="many_to_many", seq_len=25)
    batch, lag = of("embedded_reber", 100, seq_len=25), TASKS["embedded_reber"].lag(e)
    (asked,) = set(np.flatnonzero(batch.mask.all(1)).tolist())
    assert batch.mask.sum() == 100 and lag == 22
    assert np.array_equal(batch.targets[asked], batch.inputs[asked - lag])
    assert (batch.inputs[asked] == TASKS["embedded_reber"].input_labels.index("E")).all()  # of the inner string


def test_all_strings_of_a_length_are_dealt_alike_and_tell_nothing_of_the_outer_symbol():
    dealt = Counter((text[1], text[2:-2]) for text in texts("embedded_reber", of("embedded_reber", 20_000, seq_len=12)))
    every = list(product("TP", strings_of(9)))
    assert len(every) > 10 and set(dealt) == set(every)
    expected = 20_000 / len(every)
    assert all(abs(count - expected) < 4.5 * expected**0.5 for count in dealt.values())


def test_beginnings_of_both_can_be_typed():
    for slug, typed, asked in (("reber", "bts", [True] * 3), ("embedded_reber", "BPBTXSE", [False] * 6 + [True])):
        batch = TASKS[slug].encode(Experiment(task=slug, rnn_type="many_to_many"), typed)
        assert "".join(TASKS[slug].input_labels[each] for each in batch.inputs[:, 0]) == typed.upper()
        assert batch.mask[:, 0].tolist() == asked and batch.lengths.tolist() == [len(typed)]
    assert TASKS[slug].output_labels[batch.targets[-1, 0]] == "P"


@pytest.mark.parametrize(
    ("slug", "typed", "message"),
    [("reber", "TSX", "begins with B, but got T"), ("embedded_reber", "BSB", "comes T or P, but got S")],
)
def test_another_beginning_is_refused(slug, typed, message):
    with pytest.raises(ValueError, match=message):
        TASKS[slug].encode(Experiment(task=slug, rnn_type="many_to_many"), typed)
