"""The plain cell's sweep by hand: dL/dh_{t-1} = W_hh^T (phi' * dL/dh_t)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.layers.cell_trace import GradCarry, LibraryTrace, SweepSpan, backwards, by_seed
from engine.layers.step_gradients import OuterProducts, StepGradients

SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).to(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "identity": torch.ones_like,
}
"""The derivative of phi as a function of h = phi(a)."""


class RNNTrace(LibraryTrace):
    """Trace of one layer in one direction; see `engine.layers.cell_trace.CellTrace`."""

    def _fill(self, hidden: Tensor | None) -> None:
        if hidden is None:
            super()._fill(None)
        else:
            self.hidden = hidden
        self.slope = SLOPES[self.nonlinearity](self.hidden)  # (T, B, H)

    def backward_sweep(self, span: SweepSpan, grad_carry: GradCarry) -> GradCarry:
        """See `CellTrace.backward_sweep`."""
        start, stop, total, _, grad_input_proj = span
        total[stop - 1] += grad_carry[0]
        recurrent, batch, grads, through = (
            self.weights.recurrent,
            self.hidden.shape[1],
            total[start:stop],
            grad_input_proj[start:stop],
        )
        later: Tensor | None = None
        for total_grad, grad, slope, out, flat in backwards(
            grads, by_seed(grads, batch), self.slope[start:stop], by_seed(through, batch), through
        ):
            if later is not None:
                total_grad.addmm_(later, recurrent)
            torch.mul(grad, slope, out=out)
            later = flat
        return (torch.mm(grad_input_proj[start], recurrent),)

    def step_gradients(self, total: Tensor, total_cell: Tensor | None) -> StepGradients:
        """See `CellTrace.step_gradients`."""
        through = total * self.slope[:, 0]
        terms = [OuterProducts(slice(0, through.shape[-1]), through, self.previous_hidden[:, 0])]
        paths = {"recurrent": through @ self.weights.recurrent}
        return StepGradients(through, paths, from_state=through, state_terms=terms)
