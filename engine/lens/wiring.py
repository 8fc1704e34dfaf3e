"""What a probe shows of how a run is wired: padding that is read, sequences that meet, probabilities for logits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from engine.frame.wiring import Wiring
from engine.lens.norms import Endpoints, SequenceNorms, relative_sizes
from engine.model import RecurrentNetwork
from engine.tasks import Batch


def wiring_of(batch: Batch, norms: SequenceNorms, ends: Endpoints, given: Tensor | None) -> Wiring:
    """Answer the questions that need no pass of their own.

    Args:
        given: what cross-entropy is given, (T, B, classes); None for another loss.
    """
    padding = batch.padding_read
    off_one = np.nan
    if given is not None and len(given):
        off_one = float(torch.maximum((given.sum(-1) - 1).abs(), -given.amin(-1)).max())
    if batch.data_lengths is None or not padding.any():
        return Wiring(off_one=off_one)
    top, columns = norms.last[-1, 0], np.arange(len(batch.lengths))
    relative = relative_sizes(top, top[ends.enters[0], columns])
    having = padding.any(0)
    return Wiring(
        padding_counted=float((batch.mask & padding).sum() / batch.mask.sum()),
        padding_gradient=float(np.median(np.where(padding, relative, 0).max(0)[having])),
        data_gradient=float(np.median(relative[batch.data_lengths - 1, columns][having])),
        off_one=off_one,
    )


def leak(model: RecurrentNetwork, batch: Batch) -> float:
    """How much of a sequence's loss depends on other sequences: exactly 0, unless they meet in the network.

    One backward pass of autograd, from the loss of the sequence in the middle of the batch. Changes nothing.

    Returns:
        ||d l_b/dx of the others|| / ||d l_b/dx of all||, x being what the first layer reads; 0 if both are.
    """
    chosen, read = len(batch.lengths) // 2, list[Tensor | PackedSequence]()

    def differentiable(module: nn.Module, args: tuple) -> tuple:
        given = args[0]
        values = (given.data if isinstance(given, PackedSequence) else given).detach().requires_grad_()
        read.append(given._replace(data=values) if isinstance(given, PackedSequence) else values)
        return (read[-1], *args[1:])

    handle, training = model.stacks[0].register_forward_pre_hook(differentiable), model.training
    cudnn = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False  # it has no backward pass in evaluation mode
    model.eval()
    try:
        with torch.enable_grad():
            losses = model.step_losses(model(batch), batch)[:, chosen].sum()
        gradient = _by_sequence(read, torch.autograd.grad(losses, [_values(each) for each in read], allow_unused=True))
    finally:
        handle.remove()
        model.train(training)
        torch.backends.cudnn.enabled = cudnn
    if model.reads_across_the_batch:
        gradient = gradient.transpose(0, 1)
    norms = gradient.double().square().sum((0, 2))  # (B,)
    whole = float(norms.sum())
    norms[chosen] = 0
    return float((norms.sum() / whole).sqrt()) if whole else 0.0


def _values(read: Tensor | PackedSequence) -> Tensor:
    return read.data if isinstance(read, PackedSequence) else read


def _by_sequence(read: list[Tensor | PackedSequence], gradients: tuple[Tensor | None, ...]) -> Tensor:
    """The gradients at what was read in every call, as one tensor (T, B, I)."""
    parts = []
    for one, gradient in zip(read, gradients, strict=True):
        found = torch.zeros_like(_values(one)) if gradient is None else gradient
        parts.append(pad_packed_sequence(one._replace(data=found))[0] if isinstance(one, PackedSequence) else found)
    return torch.cat(parts)
