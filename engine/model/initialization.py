"""The untrained network of an experiment: how its weights are drawn."""

from __future__ import annotations

import math

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.cells.cell import UNIFORM
from engine.experiment import Experiment
from engine.model.bugs import NETWORKS
from engine.model.network import RecurrentNetwork


def build(experiment: Experiment, weights: bytes = b"") -> RecurrentNetwork:
    """Build the untrained network of an experiment; its weights depend on the experiment alone.

    PyTorch's constructors draw from the global generator, whose state is restored afterwards. It alone is given the
    seed: `torch.manual_seed` gives it to the generators of all devices, which takes as long as to draw the weights.

    Args:
        weights: a safetensors file with those that are not drawn, as `engine.weights` makes it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(experiment.seed)
        model = NETWORKS.get(experiment.bug, RecurrentNetwork)(experiment)
        with torch.no_grad():
            for layers in model.stacks:
                _initialise(layers, experiment)
    if weights:
        model.load_state_dict({**model.state_dict(), **safetensors.torch.load(weights)})
    return model.to(experiment.device)


def _initialise(recurrent: nn.Module, experiment: Experiment) -> None:
    """Draw weight_hh block by block as `init` and `init_gain` say; set the retain gate's bias to `forget_bias`.

    For `init` "identity" the biases are 0 and weight_ih is drawn with a small standard deviation. A vector keeps the
    start that the cell gives it.
    """
    cell = CELLS[experiment.cell]
    vectors = {vector.name: vector for vector in cell.vectors}
    for name, parameter in recurrent.named_parameters():
        vector = vectors.get(name.rsplit("_l", 1)[0])
        if vector is not None and vector.is_recurrent:
            parameter.mul_(experiment.init_gain)
        if vector is not None and vector.start is not UNIFORM:
            continue
        if name.startswith("weight_hh"):
            for block in parameter.split(experiment.hidden_size):
                _draw_block(block, experiment.init)
            parameter.mul_(experiment.init_gain)
        elif experiment.init == "identity" and name.startswith("weight_ih"):
            nn.init.normal_(parameter, std=0.001)
        elif experiment.init == "identity":
            nn.init.zeros_(parameter)
    if experiment.forget_bias is not None and cell.retain_gate is not None:
        start, (first, *others) = cell.gates.index(cell.retain_gate) * experiment.hidden_size, cell.gate_bias
        totals = {first: experiment.forget_bias, **dict.fromkeys(others, 0.0)}  # they are added: one gets the total
        for name, parameter in recurrent.named_parameters():
            if (total := totals.get(name.rsplit("_l", 1)[0])) is not None:
                parameter[start : start + experiment.hidden_size] = total


def _draw_block(block: Tensor, init: str) -> None:
    """Draw one (H, H) block of weight_hh, in place."""
    if init == "orthogonal":
        nn.init.orthogonal_(block)
    elif init == "identity":
        nn.init.eye_(block)
    elif init == "xavier":
        nn.init.xavier_uniform_(block)
    elif init == "gaussian":
        nn.init.normal_(block, std=1 / math.sqrt(len(block)))
