"""Measures of what bugs do: beside what a run itself reports, what it would report with the right line."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from engine.bugs import NO_BUG
from engine.layers.step_layers import State
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample
from engine.training import Trainer
from engine.training.held_out import answered

FRESH_SEQUENCES = 1024
CHUNKS = 40
"""Updates of the loop in which a state is not detached."""


def reverse_steps(trainer: Trainer) -> float:
    """How many steps of the drawn sequence have a gradient in the reverse direction."""
    frame = trainer.frame()
    return float((frame.sequence_grad_norm_last[-1, 1][frame.valid] > 0).sum())


def steps_with_loss(trainer: Trainer) -> float:
    """At how many steps of the drawn sequence a loss enters."""
    return float(trainer.frame().counted.sum())


def sound_loss(trainer: Trainer) -> float:
    """The loss of the same weights on fresh held-out sequences, as the right line computes it."""
    return _as_sound(trainer)[0]


def sound_metric(trainer: Trainer) -> float:
    """The metric of the same weights on fresh held-out sequences, as the right line computes it."""
    return _as_sound(trainer)[1]


def _as_sound(trainer: Trainer) -> tuple[float, float]:
    e = trainer.experiment.replace(bug=NO_BUG)
    network = build(e)
    network.load_state_dict(trainer.model.state_dict())
    loss, metric, _ = answered(network, sample(e, FRESH_SEQUENCES, (e.seed, 1), "test"), trainer.info)
    return loss, metric


@torch.no_grad()
def kept_state_helps(trainer: Trainer) -> float:
    """The loss of the next batch with the states that were kept / with the same states in another order."""
    e, network = trainer.experiment, copy.deepcopy(trainer.model).train()
    batch, kept = sample(e, e.batch_size, (e.seed, trainer.step + 1)), network.kept_state
    assert kept is not None
    losses = []
    order = torch.roll(torch.arange(e.batch_size), 1)
    for state in (kept, tuple(s[:, order] for s in kept) if isinstance(kept, tuple) else kept[:, order]):
        network.kept_state = state
        losses.append(network.loss(batch).item())
    return losses[0] / losses[1]


# ---- a state that is not detached: the loop that no trainer makes


def second_update_fails(trainer: Trainer) -> float:
    """1 if PyTorch refuses to go back through the graph a second time."""
    network = copy.deepcopy(trainer.model)
    state: Tensor | State | None = None
    try:
        for number in (1, 2):
            loss, state = _chunk(network, trainer, number, state)
            loss.backward()
    except RuntimeError as error:
        return float("backward through the graph a second time" in str(error))
    return 0.0


def graph_growth(trainer: Trainer) -> float:
    """Operations that the backward pass of update CHUNKS goes through / that of update 2, with `retain_graph`."""
    network, sizes = copy.deepcopy(trainer.model), list[int]()
    state: Tensor | State | None = None
    for number in range(1, CHUNKS + 1):
        loss, state = _chunk(network, trainer, number, state)
        sizes.append(_operations(loss))
    return sizes[-1] / sizes[1]


def _chunk(
    network: RecurrentNetwork, trainer: Trainer, number: int, state: Tensor | State | None
) -> tuple[Tensor, Tensor | State]:
    """The loss of one chunk, which begins in this state, and the state at its end."""
    batch: Batch = sample(trainer.experiment, trainer.experiment.batch_size, (trainer.experiment.seed, number))
    output, after = network.recurrent(network.embed(batch), state)
    return network.step_losses(network.apply_head(output, batch.lengths), batch).mean(), after


def _operations(loss: Tensor) -> int:
    """How many nodes of the graph lie behind a loss."""
    ahead, seen = [loss.grad_fn], set()
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead += [following for following, _ in node.next_functions]
    return len(seen)
