"""Classic mistakes in how a recurrent network is wired, found in what a look has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from engine.watch.call import Call
from engine.watch.loss_graph import before_log_softmax
from engine.watch.wiring import Link

KINDS = (
    "reverse read at its start",
    "batch and time swapped",
    "padding read as the answer",
    "padding read as data",
    "loss on padding",
    "softmax twice",
    "missing detach",
    "detached at every step",
    "state not handed on",
    "gradients not cleared",
)
"""The names of all mistakes."""

LEAST_PADDING = 3
"""Equal inputs at the end of a sequence that may be padding; fewer can be chance."""
LEAST_STEPS = 3
"""Calls of one step in a pass that are a loop."""
LEAST_BATCH = 3
"""Sequences of which one alone is read by mistake; of two it can be meant."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that was found. kind: its name; cure: what to write instead, in PyTorch's words."""

    kind: str
    module: str
    sentence: str
    cure: str

    def __str__(self) -> str:
        return f"{self.module}: {self.sentence} {self.cure}"


Evidence = Mistake | Literal[False] | None
"""What a backward pass shows: that a mistake is made, that it is not made (False), or neither (None)."""


class Mistakes:
    """The mistakes found so far.

    What is wrong in the code is wrong in every pass, and a sound training looks so by chance, in one batch: as soon as
    a pass shows that a mistake is not made, it is never named again.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, str], Mistake] = {}
        self._not_made: set[tuple[Any, str]] = set()

    @property
    def found(self) -> list[Mistake]:
        """Those that no pass has contradicted, in the order in which they were found."""
        return [mistake for key, mistake in self._made.items() if key not in self._not_made]

    def add(self, rule: Any, module: str, evidence: Sequence[Evidence]) -> None:
        """Take what one pass shows of a module. One call in which the mistake is made is enough.

        Args:
            rule: by which it was judged.
        """
        made = [each for each in evidence if isinstance(each, Mistake)]
        if made:
            self._made[rule, module] = made[0]
        elif False in evidence:
            self._not_made.add((rule, module))

    def judge(self, calls: Sequence[Call], losses: Sequence[Tensor] = ()) -> None:
        """Ask all rules for the calls of one backward pass.

        Args:
            losses: the numbers from which it started, where they are known.
        """
        for name in dict.fromkeys(call.name for call in calls):
            for rule in RULES:
                self.add(rule, name, [rule(call) for call in calls if call.name == name])
        if calls:
            self.add(softmax_twice, calls[-1].name, [softmax_twice(calls[-1].name, losses)])


# ---- in a call whose gradient has come


def _arrives(call: Call) -> Tensor | None:
    """(T, B, directions * H): dL/d output; None if nothing came back to it."""
    given = call.gradients.get("output")
    return None if given is None or not given.any() else call.layout.time_first(given)


def _end_is_read(call: Call) -> bool:
    return any(bool(call.gradients[name].any()) for name in ("h", "c") if name in call.gradients)


def backward_direction_at_its_start(call: Call) -> Evidence:
    """`out[:, -1]` of two directions: there the backward one has read a single input."""
    output = _arrives(call)
    if call.stack.directions < 2 or output is None or _end_is_read(call):
        return None
    lengths = call.layout.lengths.to(output.device)
    read = (output[..., call.stack.width :].abs().amax(-1) > 0) & (lengths > 1)  # (T, B), by the backward direction
    if not read.any():
        return None
    last = torch.arange(len(output), device=output.device)[:, None] == lengths - 1
    if bool((read & ~last).any()):
        return False
    return Mistake(
        "reverse read at its start",
        call.name,
        "of the backward direction only the last position is read, where it has seen one input and nothing else.",
        "Read it where it ends: torch.cat([h_n[-2], h_n[-1]], -1) in place of out[:, -1].",
    )


def batch_and_time_swapped(call: Call) -> Evidence:
    """`out[:, -1]`, of what the module takes for the batch: the loss reads its last sequence alone, at all steps."""
    output = _arrives(call)
    if output is None or call.layout.packed is not None or call.one_step or _end_is_read(call):
        return None
    read = output.abs().amax(-1) > 0  # (T, B)
    steps, batch = read.shape
    if bool(read[:, :-1].any()):
        return False
    if batch < LEAST_BATCH or steps < 2 or not bool(read[:, -1].all()):
        return None
    batch_first = getattr(call.module(), "batch_first", False)
    expected = "(batch, time, features)" if batch_first else "(time, batch, features)"
    return Mistake(
        "batch and time swapped",
        call.name,
        f"the loss reads one of its {batch} sequences, at all {steps} steps: batch and time look swapped. It expects "
        f"{expected}.",
        f"Make it with batch_first={not batch_first}, or transpose its input.",
    )


def short_sequences_unread(call: Call) -> Evidence:
    """`pad_packed_sequence(...)[0][:, -1]`: padding of every sequence that is not the longest."""
    output, lengths = _arrives(call), call.layout.lengths
    if call.layout.packed is None or output is None or _end_is_read(call):
        return None
    read = (output.abs().amax(-1) > 0).cpu()  # (T, B)
    longest = lengths == len(read)
    if bool(read[:, ~longest].any()):
        return False
    if bool(longest.all()) or bool(read[:-1].any()):
        return None
    return Mistake(
        "padding read as the answer",
        call.name,
        f"only the longest sequences get a gradient, {int(read[-1].sum())} of {len(lengths)}: of the others the last "
        "position is padding.",
        "Read h_n[-1], or out[torch.arange(B), lengths - 1] with batch_first=True.",
    )


def _padding(call: Call) -> Tensor | Literal[False] | None:
    """(T, B) bool: what looks like padding, one input at the ends of sequences, as often as each is shorter.

    Padding stands nowhere else: then False. Dry days at the end of a series, and blank rows below a figure, do.
    """
    inputs = call.inputs
    if call.layout.packed is not None or call.one_step or len(inputs) <= LEAST_PADDING:
        return None
    repeated = (inputs == inputs[-1]).all(-1).flip(0).cumprod(0).sum(0)  # (B,), equal inputs at the end
    pads = repeated >= LEAST_PADDING
    last = inputs[-1, pads]  # of those that may be padded
    if len(last) < 2 or len(set(repeated[pads].tolist())) < 2 or not bool((last == last[0]).all()):
        return None
    same = (inputs == last[0]).all(-1)  # (T, B)
    if not torch.equal(same.flip(0).cumprod(0).flip(0).bool(), same):
        return False
    return same & pads


def _loss_at(call: Call, padding: Tensor) -> Tensor:
    """(n,) bool: the steps of padding at which a loss reads the output."""
    output = _arrives(call)
    return padding[padding] & False if output is None else output.any(-1)[padding]


def _padded(call: Call, padding: Tensor) -> str:
    """What looks like padding, in words."""
    counts = padding.sum(0)
    return (
        f"{int((counts > 0).sum())} of {call.batch} sequences end in up to {int(counts.max())} equal inputs, which "
        "look like padding"
    )


def loss_on_padding(call: Call) -> Evidence:
    """The loss reads every step of what looks like padding."""
    padding = _padding(call)
    if not isinstance(padding, Tensor):
        return padding
    read = _loss_at(call, padding)
    if not bool(read.all()):
        return None if bool(read.any()) else False
    return Mistake(
        "loss on padding",
        call.name,
        f"{_padded(call, padding)}, and the loss counts all of them.",
        "Leave them out: cross_entropy(..., ignore_index=PAD), or multiply by a mask and divide by its sum.",
    )


def padding_read_as_data(call: Call) -> Evidence:
    """The loss reads the end of what looks like padding, and no more of it."""
    padding = _padding(call)
    if not isinstance(padding, Tensor):
        return padding
    output, pads = _arrives(call), padding.any(0)
    end_is_read = (
        output is not None and bool(output[-1, pads].any(-1).all()) and not bool(_loss_at(call, padding).all())
    )
    if not (end_is_read or _end_is_read(call)):
        return None
    return Mistake(
        "padding read as data",
        call.name,
        f"{_padded(call, padding)}, and the loss reads what comes after them.",
        "Pack them: pack_padded_sequence(x, lengths, enforce_sorted=False), and read h_n.",
    )


RULES: tuple[Callable[[Call], Evidence], ...] = (
    backward_direction_at_its_start,
    batch_and_time_swapped,
    short_sequences_unread,
    padding_read_as_data,
    loss_on_padding,
)
"""Asked for every call of a pass."""


# ---- in how calls are linked


def missing_detach(name: str, state: Link | None) -> Evidence:
    """The gradient of a call is on its way to an initial state whose graph is gone."""
    if state is None or not state.is_gone:
        return None
    return Mistake(
        "missing detach",
        name,
        "its state still has the graph of an earlier update, through which no second backward pass can go: autograd "
        "raises an error.",
        "Cut it between two updates: h = h.detach(), or h, c = h.detach(), c.detach().",
    )


@dataclass(frozen=True)
class HeardCall:
    """What is known of a call, whether or not its gradient came. state: where it began, a `Link.kind`."""

    steps: int
    state: str


def broken_loop(name: str, calls: Sequence[HeardCall]) -> Evidence:
    """A loop of one-step calls in which every state is detached, or none is handed on.

    Args:
        calls: all of a module in a pass, in order. With one of several steps it is no such loop.
    """
    if any(call.steps > 1 for call in calls):
        return False
    if len(calls) < LEAST_STEPS:
        return None
    begins = [call.state for call in calls]
    if set(begins[1:]) == {"detached"}:
        sentence = "its state is detached at every step, so that no gradient goes back in time at all."
        return Mistake("detached at every step", name, sentence, "Detach between updates, not between steps.")
    if set(begins) == {"zeros"}:
        sentence = "every step starts from zeros: its state is not handed on from step to step."
        return Mistake("state not handed on", name, sentence, "Give the new state to the next call: rnn(x, state).")
    return False


# ---- in what an update is made with


def gradients_not_cleared(name: str) -> Mistake:
    """An update was made with the sum of its own gradient and that of the one before."""
    return Mistake(
        "gradients not cleared",
        name,
        "an update was made with the gradient of the one before in it.",
        "Call optimizer.zero_grad() before every backward() that begins an update.",
    )


# ---- in the loss


def softmax_twice(name: str, losses: Sequence[Tensor]) -> Evidence:
    """A softmax before a cross-entropy, in the graph of the loss: there a cross-entropy is a log-softmax and a choice.

    Args:
        name: of the module that the mistake is told of.
    """
    given = [found for each in losses if (found := before_log_softmax(each)) is not None]
    if not given:
        return None
    if not all(each.startswith("Softmax") for each in given):
        return False
    return Mistake(
        "softmax twice",
        name,
        "the loss takes a softmax of what a softmax has made: it cannot fall far, and little of its gradient enters.",
        "Give cross_entropy the logits: leave nn.Softmax, or .softmax(-1), out.",
    )
