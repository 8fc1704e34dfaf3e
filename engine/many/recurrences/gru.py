"""PyTorch's GRU: n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h_t = (1 - z) n + z h_{t-1}."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.layers.accelerators.slopes import sigmoid_slope, tanh_slope
from engine.many.recurrences.recurrence import Recurrence, backwards, by_network


class GRU(Recurrence):
    """The GRU side by side; see `Recurrence`. Blocks of the weights: reset gate r, update gate z, candidate n."""

    def _states(self) -> Tensor:
        units, bias_ih, bias_hh = self.units, self.weights["bias_ih"], self.weights["bias_hh"]
        of_gates, of_candidate = slice(2 * units), slice(2 * units, None)
        self.gates = self.project("gates", of_gates, bias_ih[:, of_gates] + bias_hh[:, of_gates])
        self.candidate = self.project("candidate", of_candidate, bias_ih[:, of_candidate])
        self.from_state = self.buffer("from_state", units)  # W_hn h + b_hn, which the reset gate multiplies
        self.from_state.copy_(bias_hh[:, None, of_candidate].expand_as(self.from_state))
        to_gates, to_candidate = self.to_next(of_gates), self.to_next(of_candidate)
        hidden, before = self.buffer("hidden", units), self.zeros()
        for gates, candidate, from_state, state in zip(
            *(each.unbind() for each in (self.gates, self.candidate, self.from_state, hidden)), strict=True
        ):
            gates.baddbmm_(before, to_gates).sigmoid_()
            reset, update = gates.split(units, -1)
            candidate.addcmul_(reset, from_state.baddbmm_(before, to_candidate)).tanh_()
            before = torch.lerp(candidate, before, update, out=state)
        return hidden

    def _sweep(self, grad: Tensor) -> tuple[Tensor, Tensor]:
        steps, networks, batch = grad.shape[:3]
        of_candidate, slopes = self._slopes()
        through = self.buffer("through", 3 * self.units).view(steps, networks, batch, 3, self.units)
        recurrent, later = self.from_next(), None
        for total, slope, keep, blocks in backwards(grad, slopes, self.gates[..., self.units :], through):
            if later is not None:
                total.baddbmm_(later[0].flatten(2), recurrent).addcmul_(later[1], later[2])
            torch.mul(total.unsqueeze(2), slope, out=blocks)
            later = (blocks, total, keep)
        from_state = by_network(through.flatten(3))
        from_input = from_state.clone()  # the reset gate does not multiply W_in x
        from_input[..., 2 * self.units :] = by_network(grad * of_candidate)
        return from_input, from_state

    def _slopes(self) -> tuple[Tensor, Tensor]:
        """dh_t/d(argument of n), (T, S, B, H), and dh_t/d(W_hh h_{t-1} + b_hh) by blocks, (T, S, B, 3, H)."""
        steps, networks, batch = self.hidden.shape[:3]
        reset, update = self.gates.split(self.units, -1)
        before = self.buffer("before", self.units)
        before[0], before[1:] = 0, self.hidden[:-1]
        of_candidate = tanh_slope(1 - update, self.candidate, self.buffer("of_candidate", self.units))
        slopes = self.buffer("slopes", 3 * self.units).view(steps, networks, batch, 3, self.units)
        sigmoid_slope(of_candidate * self.from_state, reset, slopes[..., 0, :])
        sigmoid_slope(before - self.candidate, update, slopes[..., 1, :])
        torch.mul(of_candidate, reset, out=slopes[..., 2, :])
        return of_candidate, slopes
