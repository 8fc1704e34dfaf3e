"""What truncation throws away where a state is carried on: the gradient that the last loss has at that state."""

from __future__ import annotations

import torch

from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.scaled import Scaled
from engine.lens.sweep import nothing_incoming, sweep_pass
from engine.model import RecurrentNetwork
from engine.model.carried_state import CarriedState
from engine.tasks import Batch


def cut_gradient_norm(model: RecurrentNetwork, sequence: Batch) -> float:
    """||d(last loss of l_b)/d(state carried into the last chunk)||_2, of all layers, h and c together; float64.

    Training cuts the gradient there, so this is what it lacks at that place. Changes nothing.

    Args:
        sequence: a batch of one, longer than a chunk, without padding.
    """
    cut = model.truncation_points(len(sequence.inputs))[-1]
    carried = CarriedState()
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(sequence.between(0, cut), carried)
    finally:
        model.train(training)
    trace = trace_forward(model, sequence.between(cut, len(sequence.inputs)), carried)
    one = trace.passes[0]
    with torch.no_grad():
        _, leaving = sweep_pass(one, Scaled.of(seed(trace, ["last"])), nothing_incoming(one))
    sizes = [Scaled(part, left.exponent).norm() for row in leaving for left in row for part in left.grad_carry]
    return float(torch.linalg.vector_norm(torch.stack([size.reshape(()) for size in sizes])))
