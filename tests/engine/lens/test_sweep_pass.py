"""The sweep of one pass by itself: what arrives at each layer and direction, what leaves, masks between layers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from engine.layers.weights import weights_of
from engine.lens.forward_trace import ForwardPass
from engine.lens.incoming import IncomingGradient
from engine.lens.layer_traces import trace_layers, trace_library_cell
from engine.lens.scaled import Scaled
from engine.lens.sweep import sweep_pass

STEPS, BATCH, UNITS, LAYERS, WAYS = 7, 3, 5, 2, 2


def layers_alone(kind, proj_size: int) -> list[nn.Module]:
    """The same as one module of two layers, but with a place between the layers."""
    options = {"proj_size": proj_size} if proj_size else {}
    width = proj_size or UNITS
    return [kind(size, UNITS, bidirectional=True, **options).double() for size in (4, WAYS * width)]


@pytest.mark.parametrize(("kind", "cell", "proj_size"), [(nn.RNN, "rnn", 0), (nn.GRU, "gru", 0), (nn.LSTM, "lstm", 0),
                                                        (nn.LSTM, "lstm", 3)])  # fmt: skip
def test_states_given_gradients_that_arrive_and_masks(kind, cell, proj_size):
    torch.manual_seed(3)
    modules, width = layers_alone(kind, proj_size), proj_size or UNITS
    widths = (width, UNITS)[: 2 if cell == "lstm" else 1]
    inputs = torch.randn(STEPS, BATCH, 4, dtype=torch.float64, requires_grad=True)
    initial = [torch.randn(LAYERS * WAYS, BATCH, units, dtype=torch.float64, requires_grad=True) for units in widths]
    arriving = [torch.randn_like(state) for state in initial]
    mask = (torch.rand(STEPS, BATCH, WAYS * width) < 0.5).double() * 2

    def through(k: int, seen: Tensor) -> tuple[Tensor, Tensor]:
        states = [state[WAYS * k : WAYS * (k + 1)] for state in initial]
        output, last = modules[k](seen, tuple(states) if cell == "lstm" else states[0])
        last = last if cell == "lstm" else (last,)
        ends = [(end * grad[WAYS * k : WAYS * (k + 1)]).sum() for end, grad in zip(last, arriving, strict=True)]
        return output, torch.stack(ends).sum()

    lower, of_lower = through(0, inputs)
    output, of_upper = through(1, lower * mask)
    above = torch.randn_like(output)
    expected = torch.autograd.grad((output * above).sum() + of_lower + of_upper, [inputs, *initial])

    def make(layer, direction, seen, begin, top):
        weights = weights_of(modules[layer], 0, direction).detached()
        return trace_library_cell(cell, weights, "tanh", seen, begin, top)

    with torch.no_grad():
        lengths, masks = torch.full((BATCH,), STEPS), {0: mask}
        traces = trace_layers(make, (LAYERS, WAYS), inputs, tuple(initial), lengths, masks=masks)
        one = ForwardPass(traces, inputs, output, lengths, masks)
        exponent = torch.zeros(BATCH, dtype=torch.int32)
        incoming = [[IncomingGradient(tuple(grad[WAYS * k + d] for grad in arriving), exponent) for d in range(WAYS)]
                    for k in range(LAYERS)]  # fmt: skip
        gradients, leaving = sweep_pass(one, Scaled.of(above[:, None]), incoming)
    tops = [traces[-1][0].hidden, traces[-1][1].hidden.flip(0)]
    torch.testing.assert_close(torch.cat(tops, -1), output.detach(), rtol=1e-12, atol=1e-14)
    at_input = sum(
        row.grad_input_proj.to_float64()[:, 0] @ traces[0][d].weights.ih for d, row in enumerate(gradients[0])
    )
    torch.testing.assert_close(at_input, expected[0], rtol=1e-10, atol=1e-13)
    for part, whole in enumerate(expected[1:]):
        found = [Scaled(left.grad_carry[part], left.exponent).to_float64() for row in leaving for left in row]
        torch.testing.assert_close(torch.stack(found), whole, rtol=1e-10, atol=1e-13)
