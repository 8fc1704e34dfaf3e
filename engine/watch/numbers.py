"""A look as a few small numbers for each module, which are kept long after its arrays are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import saturation
from engine.watch.call import Call
from engine.watch.flow import Flow, keep_gate
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.reach import Reach


@dataclass(frozen=True)
class ChainNumbers:
    """One layer in one direction, over the sequences that were looked at. NaN and infinity are kept as they are.

    Args:
        enters, first: norms of the gradient as in `Reach`. gradient: the largest norm at any step, of all losses.
        hidden, cell: the largest |h| and |c|; cell is None without a cell state.
    """

    layer: int
    direction: int
    enters: float
    first: float
    gradient: float
    hidden: float
    cell: float | None


@dataclass(frozen=True)
class ModuleNumbers:
    """One module at one look. NaN and infinity are kept as they are; None is what is not known.

    Args:
        chains: none if the module was refused.
        weight: the largest |W| during the pass. inputs, initial, outputs: the largest of its inputs, initial states and
            outputs, over all sequences.
        arrives: the largest gradient that came back to the results of its last call. calls: made in the pass.
        weight_gradient: the norm of `.grad` of all its weights after the pass: what earlier passes added is in it.
        keep_gate: the mean of the gate that keeps the old state. saturated: the share of its states (of an LSTM its
            tanh(c)) with |value| above 0.95; of ReLU states those at 0.
    """

    chains: tuple[ChainNumbers, ...] = ()
    weight: float | None = None
    inputs: float | None = None
    initial: float | None = None
    outputs: float | None = None
    arrives: float | None = None
    calls: int = 0
    weight_gradient: float | None = None
    keep_gate: float | None = None
    saturated: float | None = None


@dataclass(frozen=True)
class LookNumbers:
    """One look. number: from 1. backward_pass: among those heard of, from 0. loss: see `Lens.loss`."""

    number: int
    backward_pass: int
    modules: Mapping[str, ModuleNumbers]
    loss: float | None = None


def numbers_of(calls: Sequence[Call], looks: Mapping[str, ModuleLook | LoopLook]) -> dict[str, ModuleNumbers]:
    """The numbers of every module in the pass that was looked at, in the order of their first calls."""
    names = dict.fromkeys([*(call.name for call in calls), *looks])
    return {name: _of_module([call for call in calls if call.name == name], looks.get(name)) for name in names}


def _of_module(calls: Sequence[Call], look: ModuleLook | LoopLook | None) -> ModuleNumbers:
    flow, reaches = (None, {}) if look is None else (look.flow, look.measured_reaches)
    weights = list({id(weight): weight for call in calls for weight in call.weights}.values())
    squash = calls[0].stack.nonlinearity if calls else None
    return ModuleNumbers(
        chains=() if flow is None else tuple(_of_chain(flow, *chain, reach) for chain, reach in reaches.items()),
        weight=_largest(weights),
        inputs=_largest([call.inputs for call in calls]),
        initial=_largest([state for call in calls for state in call.initial]),
        outputs=_largest([call.output for call in calls]),
        arrives=_largest([*calls[-1].gradients.values()]) if calls else None,
        calls=len(calls),
        weight_gradient=_norm([weight.grad for weight in weights if weight.is_leaf and weight.grad is not None]),
        keep_gate=None if flow is None else keep_gate(flow),
        saturated=None if flow is None or squash is None else _saturated(flow, squash),
    )


def _of_chain(flow: Flow, layer: int, direction: int, reach: Reach) -> ChainNumbers:
    gradient = np.linalg.norm(flow.memory[layer, direction], axis=-1)
    cell = None if flow.cell is None else float(np.abs(flow.cell[layer, direction]).max())
    hidden = float(np.abs(flow.hidden[layer, direction]).max())
    return ChainNumbers(layer, direction, reach.enters, reach.first, float(gradient.max()), hidden, cell)


def _saturated(flow: Flow, squash: str) -> float:
    states = flow.hidden if flow.cell is None else np.tanh(flow.cell)
    return float(saturation(states[:, :, flow.valid], "tanh" if flow.gates else squash).mean())


@torch.no_grad()
def _largest(tensors: Sequence[Tensor]) -> float | None:
    """The largest size; NaN if any is NaN."""
    sizes = [tensor.detach().abs().max() for tensor in tensors if tensor.numel()]
    return float(torch.stack([size.double().cpu() for size in sizes]).max()) if sizes else None


@torch.no_grad()
def _norm(gradients: Sequence[Tensor]) -> float | None:
    """The norm of all of them together, computed in float64: it is finite if they are."""
    norms = [float(gradient.detach().double().norm()) for gradient in gradients]
    return float(np.linalg.norm(norms)) if norms else None
