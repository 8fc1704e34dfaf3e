"""What an answer looks at: its slope towards every earlier input, and what is lost when an input is taken away."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import Saliency
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.scaled import Scaled
from engine.lens.subsample import MAX_ROWS, evenly_spaced, in_chunks
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch
from engine.tasks.base import NO_SYMBOL, last_counted


def input_saliency(model: RecurrentNetwork, batch: Batch, sequence: int = 0, step: int | None = None) -> np.ndarray:
    """||ds/dx_t|| for every step t of one sequence, the norm over the units of x_t: (T,) float64.

    s is the logit of the target class, or the sum of the output values, that the head gives at `step`; x_t is what the
    first layer reads: one-hot code, embedding or values, an encoder's steps before its decoder's. 0 where the network
    cannot see. Like every gradient of the lens it is cut where training cuts it (tbptt).

    Args:
        step: a position on the whole time axis, one with a loss; where a one-way network is asked at the end alone, any
            real step: what it would say if it were asked there. None: the last step with a loss.

    Raises:
        ValueError: for a step without an answer.

    Source: Simonyan, Vedaldi and Zisserman (2013), for images.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    answers = _answers(trace)
    if step is not None and step not in answers:
        raise ValueError(f"step must be one with an answer ({answers[0]} to {answers[-1]}), but got {step!r}.")
    return _norms(trace, answers[-1:] if step is None else np.array([step]))[0]


def saliency_triangle(model: RecurrentNetwork, batch: Batch, sequence: int = 0) -> Saliency:
    """Every later answer of one sequence against every earlier input; see `saliency_of`."""
    trace = trace_forward(model, batch).single_sequence(sequence)
    return saliency_of(trace, len(trace.batch.valid))


def saliency_of(trace: ForwardTrace, max_rows: int = MAX_ROWS) -> Saliency:
    """Of the forward trace of one sequence: at most so many answers, evenly chosen, the last always among them.

    An answer is a step with a loss. A one-way network that is asked at the end alone could be asked earlier, so there
    every real step has one: the head at that state, and the target of the end. Slopes are cut where training cuts them
    (tbptt); what is lost when an input is taken away is not, for the state goes on across a cut.
    """
    steps = chosen_answers(trace, max_rows)
    return Saliency(steps, _norms(trace, steps), occluded(trace))


def seeds(trace: ForwardTrace) -> Tensor:
    """Of a frame: the slopes of its answers, from the last to the first, so that what has not entered the sweep yet is
    always at an edge of the seeds."""
    return answer_seeds(trace, chosen_answers(trace)[::-1].copy())


def read(trace: ForwardTrace, swept: SweepResult | None) -> Saliency:
    """Of a frame, from a sweep of its `seeds`."""
    assert swept is not None
    return Saliency(chosen_answers(trace), norms_of(swept)[::-1], occluded(trace))


def chosen_answers(trace: ForwardTrace, max_rows: int = MAX_ROWS) -> np.ndarray:
    """The positions of these answers."""
    return evenly_spaced(_answers(trace), max_rows)


def _answers(trace: ForwardTrace) -> np.ndarray:
    """Positions on the whole time axis, rising."""
    asked = trace.batch.valid if _asked_anywhere(trace.model) else trace.batch.counted
    return np.flatnonzero(asked[:, 0])


def _asked_anywhere(model: RecurrentNetwork) -> bool:
    """True where one answer is asked at the end, and the state of every step could give it."""
    return model.experiment.rnn_type == "many_to_one" and not model.experiment.bidirectional


@torch.no_grad()
def _norms(trace: ForwardTrace, steps: np.ndarray) -> np.ndarray:
    """(K, T): ||ds_k/dx_t|| for the answers at these positions."""
    return np.concatenate([norms_of(sweep(trace, answer_seeds(trace, some))) for some in in_chunks(steps)])


def answer_seeds(trace: ForwardTrace, steps: np.ndarray) -> Tensor:
    """(T, K, 1, directions * H): the slope of each of these answers where it is read."""
    slopes, some = _slopes(trace), torch.as_tensor(steps - trace.batch.source_steps)
    seeds = slopes.new_zeros(len(slopes), len(some), *slopes.shape[1:])
    if trace.model.experiment.rnn_type == "many_to_one" and not _asked_anywhere(trace.model):
        seeds[:, 0] = slopes  # the only answer reads each direction where that one ends
    else:
        seeds[some, torch.arange(len(some))] = slopes[some]
    return seeds


def norms_of(swept: SweepResult) -> np.ndarray:
    """(K, T), from a sweep of `answer_seeds`."""
    return torch.cat([gradient.norm()[..., 0] for gradient in _input_gradients(swept)]).T.cpu().numpy()


def _slopes(trace: ForwardTrace) -> Tensor:
    """ds_t/d(output at t), (T, 1, directions * H): above the recurrent layers nothing is linked in time."""
    model, batch = trace.model, trace.batch
    with torch.enable_grad():
        output = trace.output.detach().requires_grad_()
        if _asked_anywhere(model):
            logits = model.head([output, *model.output_layers_forward(output)][-1])
        else:
            logits = model.apply_head(output, batch.lengths)
        return torch.autograd.grad(_scores(model, logits, batch).sum(), output)[0]


def _scores(model: RecurrentNetwork, logits: Tensor, batch: Batch) -> Tensor:
    """s of every logit given, (steps, batch): that of the target class, or the sum of the values."""
    if not model.symbols_out:
        return logits.sum(-1)
    targets = batch.targets
    if model.experiment.rnn_type == "many_to_one":  # its one target, whenever it is asked
        targets = targets[batch.lengths - 1, np.arange(len(batch.lengths))][None]
    classes = torch.tensor(targets, dtype=torch.int64, device=logits.device).expand(logits.shape[:2])
    return logits.gather(-1, classes[..., None])[..., 0]


def _input_gradients(swept: SweepResult) -> list[Scaled]:
    """For each pass ds/dx_t, (T, S, B, I): the pieces of a window are brought back to the step that they came from."""
    e = swept.trace.model.experiment
    if e.cell != "feedforward" or e.window == 1:
        return swept.inputs()
    folded = []
    for windows in swept.inputs():  # float64 is enough: without links in time no gradient underflows
        pieces = windows.to_float64().chunk(e.window, -1)  # the oldest first
        whole = pieces[-1].clone()
        for back, piece in enumerate(pieces[-2::-1], 1):
            if back < len(whole):
                whole[:-back] += piece[back:]
        folded.append(Scaled.of(whole))
    return folded


@torch.no_grad()
def occluded(trace: ForwardTrace) -> np.ndarray:
    """(T,): how much s of the last answer changes when x_t is taken away; NaN where that was not tried."""
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
    """A sequence (a batch of one) as it is, and then copies, each without its input at one of these positions.

    A symbol becomes none, values become the mean of their channel over the sequence's real steps.
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
