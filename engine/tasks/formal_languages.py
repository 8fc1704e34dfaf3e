"""Tasks on strings of formal languages, symbol by symbol: counting, and Reber's grammar, plain and embedded."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from engine.tasks.base import (
    END,
    NO_ANSWER,
    NO_SYMBOL,
    DataSettings,
    Lengths,
    Metric,
    Task,
    accuracy,
    exact_match,
    full_lengths,
    next_inputs,
)
from engine.tasks.batch import Batch
from engine.tasks.entropy import conditional_entropy
from engine.tasks.text_input import MAX_TYPED_STEPS, encode_symbols

# ---- a^n b^n: as many b as a, between two full stops

AB = ("a", "b", END)
A, B, STOP = range(3)  # tokens
EVERY, HELD_OUT = 5, 3  # held out is every n with n % 5 == 3: 3, 8, 13, 18 ...


def _largest(experiment: DataSettings) -> int:
    """The largest n whose string fits: a full stop, then n of each letter."""
    return (experiment.seq_len - 1) // 2


def _draw_count(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw strings, every n of the split equally likely. The loss starts at the first b, when the rest is known."""
    counts = np.arange(1, _largest(experiment) + 1)
    counts = counts[(counts % EVERY == HELD_OUT) == (split == "test")]
    n, t = counts[rng.integers(0, len(counts), batch_size)], np.arange(experiment.seq_len)[:, None]
    inputs = np.select([t == 0, t <= n, t <= 2 * n], [STOP, A, B], NO_SYMBOL)
    targets = np.select([t < n, t < 2 * n, t == 2 * n], [A, B, STOP], 0)
    return Batch(inputs, targets, inputs == B, 2 * n + 1)


def _count_baseline(experiment: DataSettings) -> dict[str, float]:
    """Entropy of what follows a b, given nothing else: the full stop once in n times, over all n from 1 on equally.

    The held-out n alone would give about an eighth less, the training n a little more.
    """
    n = np.arange(1, _largest(experiment) + 1)
    stop = float((1 / n).mean())
    return {"seeing only the letter before": -stop * math.log(stop) - (1 - stop) * math.log1p(-stop)}


def _counted_down(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The next symbol; after the last one what a string of the language needs, NO_ANSWER if it can be none."""
    targets, columns = next_inputs(experiment, inputs), np.arange(inputs.shape[1])
    last = (inputs != NO_SYMBOL).sum(0) - 1
    number_of_a, number_of_b = (inputs == A).sum(0), (inputs == B).sum(0)
    t = np.arange(len(inputs))[:, None]
    wanted = np.select([t == 0, t <= number_of_a, t <= last], [STOP, A, B], NO_SYMBOL)
    possible = (inputs == wanted).all(0) & (number_of_b > 0) & (number_of_b <= number_of_a)
    targets[last, columns] = np.where(possible, np.where(number_of_a == number_of_b, STOP, B), NO_ANSWER)
    return targets


def _encode_count(experiment: DataSettings, text: str) -> Batch:
    letters = encode_symbols(text, AB[:2], minimum=2)
    number_of_a = int((letters == A).sum())
    if letters[0] != A or (np.diff(letters) < 0).any() or not 0 < len(letters) - number_of_a <= number_of_a:
        got = "".join(AB[letter] for letter in letters)
        raise ValueError(f"First some a, then at least one b and no more b than a can be read here, but got “{got}”.")
    inputs = np.concatenate([[STOP], letters])[:, None]
    targets = np.concatenate([inputs[1:], [[STOP if 2 * number_of_a == len(letters) else B]]])
    return Batch(inputs, targets, inputs == B, full_lengths(*inputs.shape))


COUNT = Task(
    slug="count",
    family="Classics",
    title="Count: aaabbb",
    teaches="Counting: as many b as there were a, then a full stop. Counting predicts everything after the first b.",
    source="Generated: every string of n a and n b that fits. One n in five (3, 8, 13 ...) is held out.",
    rnn_types=("many_to_many",),
    lengths=Lengths(9, 401, 41),
    inputs="symbols",
    outputs="symbols",
    input_labels=AB,
    output_labels=AB,
    metric=Metric("counted without a slip", exact_match),
    draw=_draw_count,
    baselines=_count_baseline,
    lag=lambda experiment: 2 * _largest(experiment) - 1,  # from the last full stop to the first a
    causal=True,
    continues=True,
    answers=_counted_down,
    encode=_encode_count,
    asks="Some a and at least one b; it should go on to as many b and a full stop (more than in training, too)",
    example="aaaaaaaab",
)

# ---- Reber's grammar

REBER = ("B", "T", "P", "S", "X", "V", "E")
ARCS = (  # of each state: (symbol, state after it), both equally likely; E leads back to the beginning
    (("B", 1), ("B", 1)),
    (("T", 2), ("P", 3)),
    (("S", 2), ("X", 4)),
    (("T", 3), ("V", 5)),
    (("X", 3), ("S", 6)),
    (("P", 4), ("V", 6)),
    (("E", 0), ("E", 0)),
)
START, FINAL = 0, 6  # before B, before E
SYMBOL = np.array([[REBER.index(symbol) for symbol, _ in pair] for pair in ARCS])  # (states, 2)
AFTER = np.array([[state for _, state in pair] for pair in ARCS])  # (states, 2)
ALLOWED = (np.eye(len(REBER))[SYMBOL]).max(1) > 0  # (states, symbols)


def _follow_arcs(choices: np.ndarray) -> np.ndarray:
    """(T, batch) tokens, from (T, batch) int64 choices between the two arcs, from before B on."""
    states, state = np.empty_like(choices), np.zeros(choices.shape[1], np.int64)
    for t, choice in enumerate(choices):
        states[t] = state
        state = AFTER.ravel()[2 * state + choice]
    return SYMBOL[states, choices]


def _next_symbols(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs and targets of strings (T + 1, batch), one step apart, and lengths."""
    return symbols[:-1], symbols[1:], full_lengths(len(symbols) - 1, symbols.shape[1])


def _draw_reber(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw strings one after the other without a gap; the last one is cut off at the end."""
    inputs, targets, lengths = _next_symbols(_follow_arcs(rng.integers(0, 2, (experiment.seq_len + 1, batch_size))))
    return Batch(inputs, targets, np.ones(inputs.shape, bool), lengths)


@cache
def _reber_baselines(seq_len: int) -> dict[str, float]:
    """Exact losses per step, from the probability of every state at every step."""
    step = np.zeros((len(ARCS), len(ARCS)))
    np.add.at(step, (np.arange(len(ARCS))[:, None], AFTER), 0.5)
    chances = np.zeros((seq_len, len(ARCS)))  # of the state before each target; B has been read
    chances[0] = step[START]
    for t in range(1, seq_len):
        chances[t] = chances[t - 1] @ step
    states = np.repeat(np.arange(len(ARCS)), 2)
    weights, symbols = np.repeat(chances.sum(0), 2) / 2, SYMBOL.ravel()
    return {
        "knowing how common each symbol is": conditional_entropy(np.zeros_like(symbols), symbols, weights),
        "the best possible": conditional_entropy(states, symbols, weights),
    }


def _allowed(batch: Batch, outputs: np.ndarray) -> float:
    """Share of the counted steps whose most probable symbol is one that the grammar allows there."""
    predicted, states = outputs.argmax(-1), np.empty_like(batch.inputs)
    state = np.zeros(batch.inputs.shape[1], np.int64)
    for t, symbol in enumerate(batch.inputs):
        state = states[t] = np.where(SYMBOL[state, 0] == symbol, AFTER[state, 0], AFTER[state, 1])
    return float(ALLOWED[states, predicted][batch.mask].mean())


def _encode_prefix(text: str, minimum: int = 1) -> np.ndarray:
    """The beginning of a string as tokens, (T, 1)."""
    if not text.strip():
        raise ValueError("Every string begins with B, so no first symbol is to be predicted: type B, and what follows.")
    symbols = encode_symbols(text, REBER, minimum=minimum)
    if symbols[0] != START:
        raise ValueError(f"Every string begins with B, but got {REBER[symbols[0]]} first.")
    return symbols[:, None]


def _encode_reber(experiment: DataSettings, text: str) -> Batch:
    inputs = _encode_prefix(text)
    targets = np.concatenate([inputs[1:], inputs[:1]])  # the last target is unknown: any symbol
    return Batch(inputs, targets, np.ones(inputs.shape, bool), full_lengths(*inputs.shape))


REBER_GRAMMAR = Task(
    slug="reber",
    family="Classics",
    title="Reber's grammar",
    teaches="A grammar as a map of seven states: the last two symbols tell the state, and so what may come next.",
    source="Generated: strings of Reber's grammar, one after the other; two symbols may follow, each half of the time.",
    rnn_types=("many_to_many",),
    lengths=Lengths(5, 400, 30),
    inputs="symbols",
    outputs="symbols",
    input_labels=REBER,
    output_labels=REBER,
    metric=Metric("symbols the grammar allows", _allowed),
    draw=_draw_reber,
    baselines=lambda experiment: _reber_baselines(experiment.seq_len),
    lag=lambda experiment: 1,  # this symbol and the one before it determine the state
    causal=True,
    continues=True,
    answers=next_inputs,
    encode=_encode_reber,
    asks="The beginning of a string: B, then what the grammar allows of T, P, S, X, V and E",
    example="BTSSX",
)

# ---- embedded: B, T or P, a whole string of the grammar, the same T or P again, E

OUTER = REBER.index("T"), REBER.index("P")
AROUND = 4  # symbols around the inner string


@cache
def _first_arc(length: int) -> np.ndarray:
    """(length, states): the probability of a state's first arc, given that the string has this many symbols.

    All strings of one length are equally likely: every symbol between B and E halves the probability.
    """
    ways = np.eye(len(ARCS))[FINAL]  # probability of standing before E after so many more symbols
    chances = np.empty((length, len(ARCS)))
    chances[-1] = 0.5  # before E: both arcs are the same
    for t in range(length - 2, -1, -1):
        arcs = 0.5 * np.where(AFTER == START, 0, ways[AFTER])  # (states, 2)
        ways = arcs.sum(1)
        chances[t] = np.divide(arcs[:, 0], ways, where=ways > 0, out=np.full(len(ARCS), 0.5))
    return chances


def _draw_embedded(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw strings of seq_len + 1 symbols; the only loss is at the last T or P."""
    length = experiment.seq_len + 1 - AROUND
    first, luck = _first_arc(length), rng.random((length, batch_size))
    choices, state = np.empty((length, batch_size), np.int64), np.zeros(batch_size, np.int64)
    for t in range(length):
        choices[t] = luck[t] >= first[t, state]
        state = AFTER.ravel()[2 * state + choices[t]]
    outer = np.array(OUTER)[rng.integers(0, 2, (1, batch_size))]
    begin, end = (np.full((1, batch_size), REBER.index(symbol)) for symbol in "BE")
    inputs, targets, lengths = _next_symbols(np.concatenate([begin, outer, _follow_arcs(choices), outer, end]))
    mask = np.zeros(inputs.shape, bool)
    mask[-2] = True
    return Batch(inputs, targets, mask, lengths)


def _outer(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The T or P at the beginning; NO_ANSWER if there is another symbol."""
    return np.broadcast_to(np.where(np.isin(inputs[1], OUTER), inputs[1], NO_ANSWER), inputs.shape)


def _encode_embedded(experiment: DataSettings, text: str) -> Batch:
    inputs = _encode_prefix(text, minimum=3)
    if inputs[1] not in OUTER:
        raise ValueError(f"After the first B comes T or P, but got {REBER[int(inputs[1, 0])]}.")
    mask = np.zeros(inputs.shape, bool)
    mask[-1] = True
    return Batch(inputs, np.broadcast_to(inputs[1], inputs.shape), mask, full_lengths(*inputs.shape))


EMBEDDED_REBER = Task(
    slug="embedded_reber",
    family="Classics",
    title="Reber inside Reber",
    teaches="A bracket to be closed: the T or P at the beginning comes back at the end, a whole string later.",
    source="Generated: strings of Reber's grammar between two T or two P. Only the second T or P is asked for.",
    rnn_types=("many_to_many",),
    lengths=Lengths(AROUND + 4, MAX_TYPED_STEPS, 20),
    inputs="symbols",
    outputs="symbols",
    input_labels=REBER,
    output_labels=REBER,
    metric=Metric("accuracy", accuracy),
    draw=_draw_embedded,
    baselines=lambda experiment: {"guessing between T and P": math.log(2)},
    lag=lambda experiment: experiment.seq_len - 3,  # from the step before the last to the second
    causal=True,
    answers=_outer,
    encode=_encode_embedded,
    asks="B, T or P, a string from B to E; it should answer with the same T or P",
    example="BTBPVVE",
)
