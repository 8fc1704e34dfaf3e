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
            if experiment.init_all != "pytorch":
                _draw_other_layers(model)
    if weights:
        known = {**dict(model.named_parameters()), **safetensors.torch.load(weights)}
        model.load_state_dict(known, strict=not experiment.tied_weights)  # whose head has no weights of its own
    return model.to(experiment.device)


def _initialise(recurrent: nn.Module, experiment: Experiment) -> None:
    """Draw weight_hh block by block as `init` and `init_gain` say; set the retain gate's bias to `forget_bias`.

    For `init` "identity" the biases are 0 and weight_ih is drawn with a small standard deviation, unless `init_all`
    draws it. A vector keeps the start that the cell gives it.
    """
    cell = CELLS[experiment.cell]
    vectors = {vector.name: vector for vector in cell.vectors}
    draws_all = experiment.init_all != "pytorch" and experiment.init_reach == "all"
    for name, parameter in recurrent.named_parameters():
        kind = name.rsplit("_l", 1)[0]
        vector = vectors.get(kind)
        if vector is None or vector.start is UNIFORM:
            if kind == "weight_hh" and experiment.init != "pytorch":
                for block in parameter.split(experiment.hidden_size):
                    _draw_block(block, experiment.init)
            elif draws_all and not kind.startswith("bias"):
                _draw(parameter, experiment)
            elif experiment.init == "identity" and kind == "weight_ih":
                nn.init.normal_(parameter, std=0.001)
            elif draws_all or experiment.init == "identity":
                nn.init.zeros_(parameter)
        if kind == "weight_hh" or (vector is not None and vector.is_recurrent):
            parameter.mul_(experiment.init_gain)
    if experiment.forget_bias is not None and cell.retain_gate is not None:
        start, (first, *others) = cell.gates.index(cell.retain_gate) * experiment.hidden_size, cell.gate_bias
        totals = {first: experiment.forget_bias, **dict.fromkeys(others, 0.0)}  # they are added: one gets the total
        for name, parameter in recurrent.named_parameters():
            if (total := totals.get(name.rsplit("_l", 1)[0])) is not None:
                parameter[start : start + experiment.hidden_size] = total


def _draw_other_layers(model: RecurrentNetwork) -> None:
    """Draw the embeddings and the head as `init_all` says, and the output layers where it reaches all weights."""
    e = model.experiment
    tables = [model.embedding, model.decoder_embedding if model.is_encoder_decoder else None]
    linear = [*(model.upper if e.init_reach == "all" else ()), model.head]
    for layer in (*filter(None, tables), *linear):
        _draw(layer.weight, e)
    for layer in linear:
        nn.init.zeros_(layer.bias)


def _draw(weights: Tensor, experiment: Experiment) -> None:
    """Draw weights as `init_all` and `init_scale` say, in place."""
    scale = experiment.init_scale
    if experiment.init_all == "normal":
        nn.init.normal_(weights, std=scale)
    else:
        nn.init.uniform_(weights, -scale, scale)


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
