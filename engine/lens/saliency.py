"""How outputs depend on earlier inputs: by the gradient, and by removing one input at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.frame.readings import Saliency
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.scaled import Scaled
from engine.lens.subsample import MAX_ROWS, evenly_spaced, in_chunks
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch
from engine.tasks.base import NO_SYMBOL
from engine.tasks.batch import last_counted


def input_saliency(model: RecurrentNetwork, batch: Batch, sequence: int = 0, step: int | None = None) -> np.ndarray:
    """Compute ||dy/dx_t|| of one output y for every step t of one sequence.

    y is the logit of the target class, or the sum of the output values, at `step`. x_t is what the first layer reads:
    one-hot code, embedding or values, an encoder's steps before its decoder's. Like every gradient of the lens it is
    cut where training truncates it (tbptt).

    Args:
        step: position of the output on the whole time axis, a step with a loss; in a one-way network with a single loss
            any real step, with the output that the head would give there. None: the last step with a loss.

    Returns:
        (T,) float64, the norm over the units of x_t; exactly 0 if no path leads from x_t to y.

    Raises:
        ValueError: for a step without an output.

    Source: Simonyan, Vedaldi and Zisserman (2013), for images.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    answers = _answers(trace)
    if step is not None and step not in answers:
        raise ValueError(f"step must be one with an answer ({answers[0]} to {answers[-1]}), but got {step!r}.")
    return _norms(trace, answers[-1:] if step is None else np.array([step]))[0]


def saliency_triangle(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> Saliency:
    """Compute the saliency of all outputs of one sequence with respect to all inputs; see `saliency_of`."""
    trace = trace_forward(model, batch).single_sequence(sequence)
    return saliency_of(trace, len(trace.batch.valid))


def saliency_of(trace: ForwardTrace, max_rows: int = MAX_ROWS) -> Saliency:
    """Compute the saliency of one sequence from its trace.

    An answer is an output at a step with a loss. In a one-way network with a single loss at the end every real step
    counts as one: the head is applied to its state, with the target of the end. Gradients are cut where training
    truncates them (tbptt); occlusion is not, because the state is carried across a cut.

    Args:
        trace: of a single sequence.
        max_rows: how many answers at most; they are evenly spaced, and the last is always included.
    """
    steps = chosen_answers(trace, max_rows)
    return Saliency(steps, _norms(trace, steps), occluded(trace))


def seeds(trace: ForwardTrace) -> Tensor | None:
    """Return the seeds for a frame, from the last answer to the first; None across the batch (see `read`).

    In this order the seeds that have not entered the sweep yet are always at the end, so the sweep can skip them.
    """
    if trace.model.reads_across_the_batch:
        return None
    return answer_seeds(trace, chosen_answers(trace)[::-1].copy())


def read(trace: ForwardTrace, swept: SweepResult | None) -> Saliency | None:
    """Return a frame's saliency from the sweep of its `seeds`.

    None of a network that reads across the batch: inputs are taken away in a batch, where sequences would meet.
    """
    if swept is None:
        return None
    return Saliency(chosen_answers(trace), norms_of(trace, swept)[::-1], occluded(trace))


def chosen_answers(trace: ForwardTrace, max_rows: int = MAX_ROWS) -> np.ndarray:
    """Positions of the answers that are shown, (K,)."""
    return evenly_spaced(_answers(trace), max_rows)


def _answers(trace: ForwardTrace) -> np.ndarray:
    """Positions of all answers on the whole time axis, ascending."""
    asked = trace.batch.valid if _asked_anywhere(trace.model) else trace.batch.counted
    return np.flatnonzero(asked[:, 0])


def _asked_anywhere(model: RecurrentNetwork) -> bool:
    """True if the only loss is at the end, but the head could be applied to the state of any step."""
    return model.experiment.rnn_type == "many_to_one" and not model.experiment.bidirectional


@torch.no_grad()
def _norms(trace: ForwardTrace, steps: np.ndarray) -> np.ndarray:
    """||dy_k/dx_t|| for the answers at these positions, (K, T)."""
    return np.concatenate([norms_of(trace, sweep(trace, answer_seeds(trace, chunk))) for chunk in in_chunks(steps)])


def answer_seeds(trace: ForwardTrace, steps: np.ndarray) -> Tensor:
    """Seeds for the sweep, (T, K, 1, directions * H): the gradient of each answer where it reads the output."""
    slopes, some = _slopes(trace), torch.as_tensor(steps - trace.batch.source_steps)
    seeds = slopes.new_zeros(len(slopes), len(some), *slopes.shape[1:])
    if trace.answers_once and not _asked_anywhere(trace.model):
        seeds[:, 0] = slopes  # the only answer reads each direction at its last step
    else:
        seeds[some, torch.arange(len(some))] = slopes[some]
    return seeds


def norms_of(trace: ForwardTrace, swept: SweepResult) -> np.ndarray:
    """Read ||dy_k/dx_t|| (K, T) from a sweep of `answer_seeds`."""
    return torch.cat([gradient.norm()[..., 0] for gradient in _input_gradients(trace, swept)]).T.cpu().numpy()


def _slopes(trace: ForwardTrace) -> Tensor:
    """dy_t/d(output at t), (T, 1, directions * H); the output layers have no connections in time."""
    model, batch = trace.model, trace.batch
    with torch.enable_grad():
        output = trace.output.detach().requires_grad_()
        if _asked_anywhere(model):
            logits = model.head([output, *model.output_layers_forward(output)][-1])
        else:
            logits = model.apply_head(output, batch.lengths)
        return torch.autograd.grad(_scores(model, logits, batch).sum(), output)[0]


def _scores(model: RecurrentNetwork, logits: Tensor, batch: Batch) -> Tensor:
    """y for all logits given, (steps, batch): the logit of the target class, or the sum of the values."""
    if not model.symbols_out:
        return logits.sum(-1)
    targets = batch.targets
    if model.experiment.rnn_type == "many_to_one":  # the only target, whichever step is read
        targets = targets[batch.lengths - 1, np.arange(len(batch.lengths))][None]
    classes = torch.tensor(targets, dtype=torch.int64, device=logits.device).expand(logits.shape[:2])
    return logits.gather(-1, classes[..., None])[..., 0]


def _input_gradients(trace: ForwardTrace, swept: SweepResult) -> list[Scaled]:
    """dy/dx_t for each pass, (T, S, B, I); gradients of a window are added to the steps that its parts came from."""
    e = trace.model.experiment
    if CELLS[e.cell].is_recurrent or e.window == 1:
        return swept.inputs()
    folded = []
    for windows in swept.inputs():  # a feed-forward gradient does not underflow in float64
        pieces = windows.to_float64().chunk(e.window, -1)  # the oldest first
        whole = pieces[-1].clone()
        for back, piece in enumerate(pieces[-2::-1], 1):
            if back < len(whole):
                whole[:-back] += piece[back:]
        folded.append(Scaled.of(whole))
    return folded


@torch.no_grad()
def occluded(trace: ForwardTrace) -> np.ndarray:
    """Absolute change of the last answer's y if x_t is removed, (T,); NaN at steps not tried."""
    model, batch = trace.model, trace.batch
    tried = evenly_spaced(np.flatnonzero(batch.valid[:, 0]))
    copies, training = _without(batch, tried, model.symbols_in), model.training
    model.eval()
    try:
        scores = _scores(model, model(copies), copies)
    finally:
        model.train(training)
    last = scores[0 if len(scores) == 1 else last_counted(batch.mask)[0]].double()
    changes = np.full(len(batch.valid), np.nan)
    changes[tried] = (last[1:] - last[0]).abs().cpu().numpy()
    return changes


def _without(batch: Batch, taken: np.ndarray, symbols: bool) -> Batch:
    """Return a batch: the sequence itself, then one copy for each position in `taken`, without the input there.

    A removed symbol becomes NO_SYMBOL; removed values become their channel's mean over the real steps.
    """
    count, source = 1 + len(taken), len(batch.inputs)
    inputs = np.repeat(batch.inputs, count, axis=1)
    fed_back = None if batch.decoder_inputs is None else np.repeat(batch.decoder_inputs, count, axis=1)
    neutral = NO_SYMBOL if symbols else batch.inputs[: batch.lengths[0], 0].mean(0)
    for copy, t in enumerate(taken, 1):
        if fed_back is not None and t >= source:
            fed_back[t - source, copy] = NO_SYMBOL
        else:
            inputs[t, copy] = neutral
    targets, mask = np.repeat(batch.targets, count, axis=1), np.repeat(batch.mask, count, axis=1)
    return Batch(inputs, targets, mask, np.repeat(batch.lengths, count), fed_back)
