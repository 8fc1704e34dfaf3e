"""What a sweep starts from: some sequences of one call, or one-step calls laid side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.layers.step_layers import State
from engine.layers.weights import Weights
from engine.watch.call import Call
from engine.watch.dropout import masks_of
from engine.watch.modules import Stack
from engine.watch.refusal import RefusalError


@dataclass(frozen=True, eq=False)
class SweepInput:
    """Some sequences of a call, or of several one-step calls side by side: R sequences in all.

    Args:
        weights: by [layer][direction]. rounds, is_coarse: see `Call`.
        inputs: (T, R, I). initial: (layers * directions, R, units) for each state. output: (T, R, directions * units).
        output_is_changed: it was written into after the call, so that it does not show the states.
        lengths: (R,). masks: see `ForwardPass`.
        grad_output: dL/d output. grad_ends: dL/dh_n, and dL/dc_n if there is one.
        hook_has_hidden: see `Call`.
    """

    name: str
    stack: Stack
    weights: list[list[Weights]]
    rounds: torch.dtype | None
    is_coarse: bool
    inputs: Tensor
    initial: State
    output: Tensor
    output_is_changed: bool
    lengths: Tensor
    masks: dict[int, Tensor]
    grad_output: Tensor
    grad_ends: State
    hook_has_hidden: bool

    @property
    def real(self) -> Tensor:
        """(T, R, 1) bool: which steps are no padding."""
        steps = torch.arange(len(self.inputs))[:, None]
        return (steps < self.lengths)[..., None].to(self.inputs.device)


@torch.no_grad()
def sweep_input(call: Call, rows: Tensor) -> SweepInput:
    """Take some sequences of a call. What is left out changes nothing: each sequence's gradient is its own.

    Args:
        rows: (R,), which sequences.

    Raises:
        RefusalError: if the call cannot be measured.
    """
    if call.refused:
        raise RefusalError(call.refused)
    stack, changed = call.stack, call.output_was_changed()
    chains = stack.layers * stack.directions
    given = call.gradients.get("output")
    grad_output = torch.zeros_like(call.output) if given is None else call.layout.time_first(given)
    ends = []
    for which, width in zip(("h", "c"), stack.state_widths, strict=False):
        end = call.gradients.get(which)
        whole = call.output.new_zeros(chains, call.batch, width) if end is None else call.layout.state(end)
        ends.append(whole.reshape(chains, call.batch, width)[:, rows])
    some = SweepInput(
        call.name,
        stack,
        stack.weights(call.weights),
        call.rounds,
        call.is_coarse,
        call.inputs[:, rows],
        tuple(state[:, rows] for state in call.initial),
        call.output[:, rows],
        changed,
        call.layout.lengths[rows.cpu()],
        {layer: mask[:, rows] for layer, mask in masks_of(call).items()},
        grad_output[:, rows],
        tuple(ends),
        call.hook_has_hidden,
    )
    return some if some.rounds is None else _widened(some, one_step=call.one_step)


def _widened(some: SweepInput, one_step: bool) -> SweepInput:
    """Under autocast: the numbers that the kernels saw, rounded as they were, in float32."""

    def rounded(values: Tensor) -> Tensor:
        assert some.rounds is not None
        return values.to(some.rounds).float()

    return replace(
        some,
        weights=[[each.map_tensors(rounded) for each in row] for row in some.weights],
        inputs=rounded(some.inputs),
        initial=tuple(state.float() if one_step else rounded(state) for state in some.initial),
        output=some.output.float(),
        masks={layer: mask.float() for layer, mask in some.masks.items()},
        grad_output=some.grad_output.float(),
        grad_ends=tuple(end.float() for end in some.grad_ends),
    )


def side_by_side(parts: Sequence[SweepInput]) -> SweepInput:
    """Lay one-step calls of the same module side by side in the batch: one sweep for a loop of a thousand."""

    def joined(pick: Callable[[SweepInput], Tensor]) -> Tensor:
        return torch.cat([pick(part) for part in parts], 1)

    first = parts[0]
    return replace(
        first,
        inputs=joined(lambda part: part.inputs),
        initial=tuple(joined(lambda part, k=k: part.initial[k]) for k in range(len(first.initial))),  # type: ignore[misc]
        output=joined(lambda part: part.output),
        output_is_changed=any(part.output_is_changed for part in parts),
        lengths=torch.cat([part.lengths for part in parts]),
        masks={layer: joined(lambda part, k=layer: part.masks[k]) for layer in first.masks},  # type: ignore[misc]
        grad_output=joined(lambda part: part.grad_output),
        grad_ends=tuple(joined(lambda part, k=k: part.grad_ends[k]) for k in range(len(first.grad_ends))),  # type: ignore[misc]
    )
