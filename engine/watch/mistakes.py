"""Classic mistakes in how a recurrent network is wired, found in what a look has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.watch.call import Call
from engine.watch.wiring import Link

KINDS = (
    "reverse read at its start",
    "batch and time swapped",
    "padding read as the answer",
    "padding read as data",
    "missing detach",
    "detached at every step",
    "state not handed on",
)
"""The names of all mistakes."""

LEAST_PADDING = 3
"""Equal inputs at the end of a sequence that may be padding; fewer can be chance."""

LEAST_STEPS = 3
"""Calls of one step in a pass that are a loop."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that was found. kind: its name; cure: what to write instead, in PyTorch's words."""

    kind: str
    module: str
    sentence: str
    cure: str

    def __str__(self) -> str:
        return f"{self.module}: {self.sentence} {self.cure}"


def mistakes_of(calls: Sequence[Call]) -> list[Mistake]:
    """The mistakes in the calls of one backward pass, each said once for a module."""
    found: dict[tuple[str, str], Mistake] = {}
    for call in calls:
        for rule in RULES:
            if (mistake := rule(call)) is not None:
                found.setdefault((mistake.kind, mistake.module), mistake)
    return list(found.values())


def _arrives(call: Call) -> Tensor | None:
    """(T, B, directions * H): dL/d output; None if nothing came back to it."""
    given = call.gradients.get("output")
    return None if given is None or not given.any() else call.layout.time_first(given)


def _end_is_read(call: Call) -> bool:
    return any(bool(call.gradients[name].any()) for name in ("h", "c") if name in call.gradients)


def backward_direction_at_its_start(call: Call) -> Mistake | None:
    """`out[:, -1]` of two directions: there the backward one has read a single input."""
    output = _arrives(call)
    if call.stack.directions < 2 or output is None or len(output) < 2 or _end_is_read(call):
        return None
    backward = output[..., call.stack.width :].abs().amax(-1) > 0  # (T, B)
    if not backward.any():
        return None
    last = (call.layout.lengths - 1).to(backward.device)
    only_last = backward.sum(0) <= 1
    at_last = backward[last, torch.arange(len(last))] | ~backward.any(0)
    if not bool((only_last & at_last & (last > 0)).all()):
        return None
    return Mistake(
        "reverse read at its start",
        call.name,
        "of the backward direction only the last position is read, where it has seen one input and nothing else.",
        "Read it where it ends: torch.cat([h_n[-2], h_n[-1]], -1) in place of out[:, -1].",
    )


def batch_and_time_swapped(call: Call) -> Mistake | None:
    """The loss reads one entry of what the module takes for the batch, at all of what it takes for time."""
    output = _arrives(call)
    if output is None or call.layout.packed is not None or call.one_step or _end_is_read(call):
        return None
    steps, batch = output.shape[:2]
    rows = output.abs().amax(-1).amax(0) > 0
    times = output.abs().amax(-1).amax(1) > 0
    if batch < 2 or steps < 2 or int(rows.sum()) != 1 or not (bool(rows[-1]) or bool(rows[0])) or not bool(times.all()):
        return None
    module = call.module()
    expected = "(batch, time, features)" if getattr(module, "batch_first", False) else "(time, batch, features)"
    other = "batch_first=False" if getattr(module, "batch_first", False) else "batch_first=True"
    return Mistake(
        "batch and time swapped",
        call.name,
        f"the loss reads one of its {batch} sequences, at all {steps} steps: batch and time look swapped. It expects "
        f"{expected}.",
        f"Make it with {other}, or transpose its input.",
    )


def short_sequences_unread(call: Call) -> Mistake | None:
    """`pad_packed_sequence(...)[0][:, -1]`: padding of every sequence that is not the longest."""
    output, lengths = _arrives(call), call.layout.lengths
    if call.layout.packed is None or output is None or _end_is_read(call) or int(lengths.min()) == len(output):
        return None
    read = (output.abs().amax(-1).amax(0) > 0).cpu()
    if not torch.equal(read, lengths == len(output)):
        return None
    return Mistake(
        "padding read as the answer",
        call.name,
        f"only the longest sequences get a gradient, {int(read.sum())} of {len(read)}: of the others the last position "
        "is padding.",
        "Read h_n[-1], or out[torch.arange(B), lengths - 1] with batch_first=True.",
    )


def padding_read_as_data(call: Call) -> Mistake | None:
    """Equal inputs at the ends of sequences, as many as each is shorter, and the loss reads the end."""
    output, inputs = _arrives(call), call.inputs
    if call.layout.packed is not None or call.one_step or len(inputs) <= LEAST_PADDING or call.batch < 2:
        return None
    last = inputs[-1]  # (B, I)
    same = (inputs == last).all(-1).flip(0).cumprod(0).sum(0)  # (B,), equal inputs at the end
    pads = same >= LEAST_PADDING
    if int(pads.sum()) < 2 or len(set(same[pads].tolist())) < 2 or not bool((last[pads] == last[pads][0]).all()):
        return None
    at_end = torch.zeros(call.batch, dtype=torch.bool, device=inputs.device)
    if output is not None:
        at_end |= output[-1].abs().amax(-1) > 0
    if not (bool(at_end[pads].all()) or _end_is_read(call)):
        return None
    return Mistake(
        "padding read as data",
        call.name,
        f"{int(pads.sum())} of {call.batch} sequences end in up to {int(same.max())} equal inputs, which look like "
        "padding, and the loss reads what comes after them.",
        "Pack them: pack_padded_sequence(x, lengths, enforce_sorted=False), and read h_n.",
    )


def missing_detach(name: str, state: Link | None) -> Mistake | None:
    """The initial state is still tied to a call whose graph is gone. Known when the call is made."""
    if state is None or not state.is_gone:
        return None
    return Mistake(
        "missing detach",
        name,
        "its state still has the graph of an earlier update, through which no second backward pass can go: the next "
        "one raises an error.",
        "Cut it between two updates: h = h.detach(), or h, c = h.detach(), c.detach().",
    )


def broken_loop(name: str, kinds: Sequence[str]) -> Mistake | None:
    """A loop of one-step calls in which every state is detached, or none is handed on.

    Args:
        kinds: where the states of its calls came from, in order; see `Link`.
    """
    if len(kinds) < LEAST_STEPS:
        return None
    if set(kinds[1:]) == {"detached"}:
        sentence = "its state is detached at every step, so that no gradient goes back in time at all."
        return Mistake("detached at every step", name, sentence, "Detach between updates, not between steps.")
    if set(kinds) == {"zeros"}:
        sentence = "every step starts from zeros: its state is not handed on from step to step."
        return Mistake("state not handed on", name, sentence, "Give the new state to the next call: rnn(x, state).")
    return None


RULES: tuple[Callable[[Call], Mistake | None], ...] = (
    backward_direction_at_its_start,
    batch_and_time_swapped,
    short_sequences_unread,
    padding_read_as_data,
)
"""Asked for every call of a pass."""
