"""The alternative to the lens: PyTorch's cells in a loop, with autograd through every state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.model import RecurrentNetwork
from engine.tasks import Batch

CELLS = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def cell_of(model: RecurrentNetwork) -> nn.Module:
    """PyTorch's cell with the weights of the model's only layer."""
    e, layer = model.experiment, model.recurrent
    cell = CELLS[e.cell](e.input_size, e.hidden_size, device=e.device)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    return cell


def unroll(model: RecurrentNetwork, cell: nn.Module, batch: Batch) -> tuple[list[Tensor], Tensor]:
    """Run the loop. Returns every h_t, T tensors (B, H), and the loss terms of l_b by step, (T, B)."""
    inputs = model.embed(batch)
    zeros = inputs.new_zeros(inputs.shape[1], model.experiment.hidden_size)
    has_cell_state = isinstance(cell, nn.LSTMCell)
    state, hidden = (zeros, zeros) if has_cell_state else zeros, []
    for x_t in inputs.unbind():
        state = cell(x_t, state)
        hidden.append(state[0] if has_cell_state else state)
    logits = model.apply_head(torch.stack(hidden), batch.lengths)
    return hidden, model.step_losses(logits, batch) * model.loss_weights(batch)
