"""The verdict on a watched model: a table of kinds in order, each with its rule. The first that finds one decides.

Nothing is known of its task or its loss: the rules read the gradient alone, and how the module is wired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from engine.diagnosis.at_limits import PASS_NOTHING, dead_units
from engine.diagnosis.bands import BANDS, GROWING, LIMITS, RISING, SHRINKING, band, near
from engine.diagnosis.reasons import Reason, grows_by, per_step, shrinks_by
from engine.diagnosis.text import MIN_FLOAT32, arrives, nothing_reaches, share, state_name, steps
from engine.frame import Chain, Diagnosis, Look
from engine.watch import advice
from engine.watch.advice import Code
from engine.watch.mistakes import Mistake
from engine.watch.reach import Reaches

MEANS = {
    "reverse read at its start": "nothing below is of what the backward direction could learn",
    "batch and time swapped": "what is called a step below is a sequence of your batch",
    "padding read as the answer": "the gradient below is of the longest sequences alone",
    "padding read as data": "the steps below count the padding, too",
    "detached at every step": "no gradient below goes back further than a step",
    "state not handed on": "no gradient below goes back further than a step",
}
"""Of kinds of mistakes with which a ratio is not of what the author means: what the numbers are of."""
LOW_LOSS = "If the loss is low, nothing needs mending."
"""The gradient of a network that has learned may shrink, too, and the loss is not known."""
MISTAKE = "mistake"
WORDS = {
    "vanished": "has vanished",
    "vanishing": "is vanishing",
    "fading": "is fading",
    "healthy": "comes back",
    "rising": "is rising",
    "growing": "is growing",
    "exploding": "is exploding",
}
BROKEN = {"state": "A state is", "gradient": "The gradient is", "weight's gradient": "A weight's gradient is"}
ONE_LOSS = "If a loss reads earlier steps, too, that hides how little comes from the last."
HARDLY = 1e-14
"""A norm below this is hardly a gradient. A loss averaged over a thousand sequences of a thousand steps is a million
times smaller than that of one, whose limit is `engine.diagnosis.NO_GRADIENT`."""


@dataclass(frozen=True, eq=False)
class Watched:
    """One module at one look, to be judged.

    Args:
        code: how it is written in its author's script; None for a loop that was written by hand.
        reaches: how far the gradient comes back in each chain.
        between: for each direction the steps of the drawn sequence that it goes back from.
        follows_last: the gradient is that of the loss that enters last alone. places: at how many steps one enters.
        seen: where not all sequences of the batch were looked at, which were, in words.
        broken: what is not finite in some sequence, "state", "gradient" or "weight's gradient"; empty if all is.
        detached: at these steps the state was detached from the step before. calls: in this pass.
        mistakes: found in this module's wiring. before: the kind at the last look, "" if that is not known: it stays as
            long as the ratio is hardly outside of its band.
    """

    code: Code | None
    chain: Chain
    look: Look
    reaches: Reaches
    between: tuple[np.ndarray, ...]
    follows_last: bool
    places: int
    broken: str
    detached: tuple[int, ...]
    calls: int
    mistakes: Sequence[Mistake]
    before: str = ""
    seen: str = ""

    @cached_property
    def which(self) -> tuple[int, int]:
        """(layer, direction) with the largest ratio, of the directions that have a way back.

        Below the top of a network that reads both ways the directions mix: what the reverse one read at t = 0 brings a
        gradient to t = 0 that has not gone back in time. There the top layer alone counts.
        """
        ratio = np.where(np.isnan(self.look.ratio), -1.0, self.look.ratio)
        for chain, reach in self.reaches.items():
            if not reach.steps:
                ratio[chain] = -2.0
        if ratio.shape[1] > 1 and self.look.grad_norm_memory[-1].any():
            ratio[:-1] = -2.0
        layer, direction = np.unravel_index(int(ratio.argmax()), ratio.shape)
        return int(layer), int(direction)

    @property
    def ratio(self) -> float:
        """||dL/ds|| at the first step, divided by that where the loss enters; medians."""
        return float(self.look.ratio[self.which])

    @property
    def band(self) -> str:
        """The kind of verdict by the ratio alone."""
        return self.before if self.before in BANDS and near(self.before, self.ratio) else band(self.ratio)

    @property
    def way(self) -> int:
        """The steps that the gradient goes back."""
        return self.reaches[self.which].steps

    @property
    def whose(self) -> str:
        """Which gradient this is, in words."""
        if self.places < 2 or self.code is None:
            return "the gradient"
        return "the gradient that enters last" if self.follows_last else "the whole gradient"

    @property
    def where(self) -> str:
        """Where it comes back to, in words."""
        return f"the state {steps(self.way)} back{state_name(self.chain, *self.which)}"

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that every verdict carries."""
        layer, direction = self.which
        numbers = {
            "ratio": self.ratio,
            "lag": float(self.way),
            "gradient_at_output": self.reaches[self.which].enters,
            "gradient_at_first": self.reaches[self.which].first,
            "layer": float(layer),
            "direction": float(direction),
        }
        if 0 < self.ratio < math.inf and self.way:
            numbers["factor_per_step"] = self.ratio ** (1 / self.way)
        numbers |= per_step(self.chain, self.look, self.which, self.between[direction])
        if 0 < (kept := numbers.get("kept_per_step", 0.0)) < 1:
            numbers["half_life"] = math.log(2) / -math.log(kept)
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        norms = [float(norm) for name, norm in self.look.spectral_norms.items() if name.endswith(f"weight_hh{suffix}")]
        return numbers | ({"largest_singular_value": norms[0]} if norms else {})


@dataclass(frozen=True)
class Found:
    """What a rule has found: kind, sentence and advice, with the meanings that they have in `Diagnosis`."""

    kind: str
    sentence: str
    advice: str = ""


def diagnose(watched: Watched) -> Diagnosis:
    """The verdict on one module at one look."""
    found = next(found for kind in KINDS if (found := kind.rule(watched)) is not None)
    return Diagnosis(found.kind, found.sentence, watched.evidence, {}, found.advice)


def unread(name: str) -> Diagnosis:
    """The verdict on a module that was called, and of which nothing came back."""
    sentence = f"No gradient ever came back to {name}: nothing that the loss depends on reads its output."
    return Diagnosis("unread", sentence, {}, {}, "Use its output, or h_n, in what the loss is computed from.")


@dataclass(frozen=True)
class Kind:
    """One entry of the table.

    Args:
        names: what its rule can find. rule: returns what it found, or None if it does not apply.
        because: why it stands before the next.
    """

    names: tuple[str, ...]
    rule: Callable[[Watched], Found | None]
    because: str


def _not_finite(watched: Watched) -> Found | None:
    """A state or a gradient is infinite or NaN. (The loss is not known.)"""
    if not watched.broken:
        return None
    sentence = f"{BROKEN[watched.broken]} not finite: this model cannot learn any further."
    return Found("not_finite", sentence, advice.CLIP)


def _mistake(watched: Watched) -> Found | None:
    """The wiring is not what its author means."""
    for mistake in watched.mistakes:
        if mistake.kind in MEANS:
            sentence = mistake.sentence[0].upper() + mistake.sentence[1:]
            return Found(MISTAKE, sentence, mistake.cure)
    return None


def _no_gradient(watched: Watched) -> Found | None:
    """Nothing enters, or hardly anything."""
    enters = watched.look.output_grad_norm
    if enters >= HARDLY:
        return None
    amount = "No gradient at all enters" if enters == 0 else f"Hardly any gradient enters, {enters:.0e},"
    if watched.seen:
        sentence = f"{amount.rstrip(',')} {watched.seen}; of the others nothing is known."
        return Found("no_gradient", sentence, "Look at all sequences: watch(model, rows=None).")
    sentence = f"{amount} where its output is read. What stands above it passes none back, or its loss is 0."
    return Found("no_gradient", sentence, "Look above it: a detach(), an argmax, a saturated sigmoid, a masked loss.")


def _no_way_back(watched: Watched) -> Found | None:
    """The loss reads the first step alone."""
    if any(reach.steps for reach in watched.reaches.values()):
        return None
    calls = watched.calls > 1
    if len(watched.chain.valid) == 1:
        sentence = "It has one step: no gradient goes back in time."
    elif calls and watched.chain.cuts:
        sentence = "Every call begins anew, and the loss reads its first step alone: no gradient goes back in time."
    else:
        sentence = "The loss reads the first step alone: no gradient goes back in time."
    return Found("no_way_back", sentence, "Give it whole sequences, or hand its state on to the next call.")


def _exactly_zero(watched: Watched) -> Found | None:
    """Nothing arrives, with the cause that links or states show."""
    if watched.ratio:
        return None
    look, activation, where = watched.look, watched.chain.activation, watched.where
    if watched.detached:
        at = f"at t = {watched.detached[-1]} its state was detached from the step before"
        return Found("cut", nothing_reaches(where, at), "Hand the state on without detach() within one sequence.")
    if cause := dead_units(activation, look.hidden[:, :, look.valid]):
        cure = (
            advice.other_activation
            if activation == "relu"
            else partial(advice.unpin, inputs_are_large=_reads_more(look))
        )
        return Found("dead", nothing_reaches(where, cause), _line(watched, cure))
    layer, direction = watched.which
    sizes = look.grad_norm_memory[layer, direction]
    if (sizes > 0).any() and sizes[sizes > 0].min() < math.sqrt(MIN_FLOAT32):
        return _shrinking(watched, "vanished", nothing_reaches(where, "on the way it became too small for 32 bits"))
    return Found("no_path", nothing_reaches(where, PASS_NOTHING), _line(watched, advice.keep_norms))


def _reads_more(look: Look) -> bool:
    """True if the inputs add more to the preactivations than the old state does."""
    return look.from_state is None or bool(np.abs(look.from_input).mean() > np.abs(look.from_state).mean())


def _unknown(watched: Watched) -> Found | None:
    """Only the sum of many losses is known: near losses hide how little comes back from the last."""
    if watched.follows_last or watched.places < 2:
        return None
    if watched.band in SHRINKING or watched.ratio > RISING * watched.places:
        return None  # near losses can only add to what arrives, and no more than each one brings
    amount = arrives(watched.whose, watched.where, watched.ratio)
    if watched.code is None:
        return Found("unknown", f"{amount} {ONE_LOSS}")
    hides = "what enters near that state hides how little comes from the last"
    return Found("unknown", f"{amount} It enters at up to {watched.places} steps, and {hides}.")


def _banded(watched: Watched) -> Found:
    """By the ratio's band, with its reason and advice."""
    kind, numbers, way = watched.band, watched.evidence, watched.way
    arriving = arrives("it", watched.where, watched.ratio, watched.reaches[watched.which].enters)
    whose = watched.whose[0].upper() + watched.whose[1:]
    amount = f"{whose} {WORDS[kind]}: {arriving[0].lower()}{arriving[1:]}"
    if kind in SHRINKING:
        reasons = shrinks_by(watched.chain, watched.ratio, numbers, way)
        return _shrinking(watched, kind, " ".join([amount, *(f"{reason}." for reason in reasons[:1])]))
    if kind in GROWING:
        growing: Reason = grows_by(watched.chain, watched.ratio, numbers, watched.which[0], way)
        sentence = f"{amount[:-1]}: {growing[0]}." if growing else amount
        norms = "" if watched.chain.gates else _line(watched, advice.keep_norms)
        return Found(kind, sentence, f"{advice.CLIP}\n{norms}".strip())
    return Found(kind, f"{amount}{_per_step(numbers)}")


def _shrinking(watched: Watched, kind: str, sentence: str) -> Found:
    def write(code: Code) -> str:
        return advice.let_gradient_through(code, watched.chain, watched.evidence, watched.way)

    line = _line(watched, write, otherwise=advice.OWN_LOOP)
    return Found(kind, f"{sentence} {LOW_LOSS}" if line else sentence, line)


def _line(watched: Watched, write: Callable[[Code], str], otherwise: str = "") -> str:
    """A line of code where the module is known."""
    return otherwise if watched.code is None else write(watched.code)


def _per_step(numbers: dict[str, float]) -> str:
    """What one step leaves, where it is less than all."""
    factor = numbers.get("factor_per_step", 1.0)
    return f" Each step back leaves {share(factor)} of it." if factor < 0.9995 else ""


KINDS = (
    Kind(("not_finite",), _not_finite, "no other number means anything then"),
    Kind((MISTAKE,), _mistake, "the number would be right, and of something that nobody means"),
    Kind(("no_gradient",), _no_gradient, "a ratio of two noises says nothing"),
    Kind(("no_way_back",), _no_way_back, "a ratio of 1 would comfort where nothing goes back"),
    Kind(("cut", "dead", "vanished", "no_path"), _exactly_zero, "exactly 0 has causes of its own"),
    Kind(("unknown",), _unknown, "a sum of many losses would be called healthy"),
    Kind(tuple(name for _, name in LIMITS), _banded, "it always finds something"),
)
"""In the order in which they are asked."""
VERDICTS = tuple(dict.fromkeys([*BANDS, *(name for kind in KINDS for name in kind.names)]))
"""All kinds, those by the ratio first. `unread` is none of them: there is no look then."""
