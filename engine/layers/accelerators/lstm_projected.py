"""The sweep by hand of an LSTM with `proj_size`: h_t = W_hr (o_t * tanh(c_t)), so that h_t has fewer units than c_t.

Source: Sak, Senior and Beaufays (2014), Long short-term memory recurrent neural network architectures.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.layers.cell_trace import GradCarry, LibraryTrace, SweepSpan, for_rows, previous
from engine.layers.step_gradients import OuterProducts, StepGradients


class ProjectedLSTMTrace(LibraryTrace):
    """Trace of one layer in one direction; see `engine.layers.cell_trace.CellTrace`.

    `hidden` is (T, B, P) with P = proj_size; `cell`, the gates and `unprojected`, o_t * tanh(c_t), are (T, B, H). Its
    states are always computed anew.
    """

    unprojected: Tensor

    def _fill(self, hidden: Tensor | None) -> None:
        weights, (h, c) = self.weights, (state[0] for state in self.initial)
        assert weights.hr is not None
        from_input = linear(self.inputs, weights.ih, weights.bias_ih)
        hiddens, cells, gates = [], [], []
        for projected in from_input:
            i, f, g, o = (projected + linear(h, weights.recurrent, weights.bias_hh)).chunk(4, -1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = linear(o * c.tanh(), weights.hr)
            hiddens.append(h)
            cells.append(c)
            gates.append(torch.stack([i, f, g, o]))
        self.hidden, self.cell = torch.stack(hiddens), torch.stack(cells)
        i, f, g, o = torch.stack(gates, 1)
        self.gates = {"input_gate": i, "forget_gate": f, "cell_candidate": g, "output_gate": o}
        self.unprojected = o * self.cell.tanh()

    def backward_sweep(self, span: SweepSpan, grad_carry: GradCarry) -> GradCarry:
        """See `CellTrace.backward_sweep`; `span.total` and the first of `grad_carry` have P units, the others H."""
        start, stop, total, total_cell, grad_input_proj = span
        assert total_cell is not None and self.cell is not None and self.weights.hr is not None
        rows = total.shape[1]

        def here(values: Tensor) -> Tensor:
            return for_rows(values[start:stop], rows)

        i, f, g, o = (here(gate) for gate in self.gates.values())
        squashed, before = here(self.cell).tanh(), here(previous(self.cell, self.initial[1][0]))
        grad_h, grad_c = grad_carry
        for k in reversed(range(stop - start)):
            t = start + k
            total[t] += grad_h
            beside = total[t] @ self.weights.hr  # at o_t * tanh(c_t)
            cell = torch.add(grad_c, beside * o[k] * (1 - squashed[k] ** 2), out=total_cell[t])
            parts = [
                cell * g[k] * i[k] * (1 - i[k]),
                cell * before[k] * f[k] * (1 - f[k]),
                cell * i[k] * (1 - g[k] ** 2),
                beside * squashed[k] * o[k] * (1 - o[k]),
            ]
            grad_input_proj[t] = torch.cat(parts, -1)
            grad_h, grad_c = grad_input_proj[t] @ self.weights.recurrent, cell * f[k]
        return grad_h, grad_c

    def step_gradients(self, total: Tensor, total_cell: Tensor | None) -> StepGradients:
        """See `CellTrace.step_gradients`; `total` has P units."""
        assert self.cell is not None and self.weights.hr is not None
        i, f, g, o = (gate[:, 0] for gate in self.gates.values())
        squashed, before = self.cell[:, 0].tanh(), self.before["c"][:, 0]
        beside = total @ self.weights.hr
        cell = beside * o * (1 - squashed**2) if total_cell is None else total_cell
        parts = [cell * g * i * (1 - i), cell * before * f * (1 - f), cell * i * (1 - g**2)]
        through = torch.cat([*parts, beside * squashed * o * (1 - o)], -1)
        terms = [OuterProducts(slice(0, through.shape[-1]), through, self.previous_hidden[:, 0])]
        paths = {"kept": cell * f, "gates": through @ self.weights.recurrent}
        return StepGradients(through, paths, cell, from_state=through, state_terms=terms)
