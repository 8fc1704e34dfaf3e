"""Answer a question: run the network on the input, then continue with each output as the next input."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.ask.question import Answer, Question, QuestionError, encode_question, ends_itself
from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES
from engine.model import RecurrentNetwork
from engine.tasks import END, Batch, task_of

NOT_FINITE = "The network's numbers are no longer finite, so it has no answer."


class SymbolSampler:
    """Sample symbols from logits with a generator of its own, and keep them in `chosen`."""

    def __init__(self, temperature: float, seed: int) -> None:
        self.chosen: list[int] = []
        self._temperature, self._generator = temperature, torch.Generator().manual_seed(seed)

    def __call__(self, logits: Tensor) -> Tensor:
        """Sample from softmax(logits / temperature), or take the argmax if that is 0: (1, output_size) to (1,)."""
        if not torch.isfinite(logits).all():
            raise QuestionError(NOT_FINITE)
        logits64 = logits.double().cpu()
        if self._temperature:
            # At most 0, so that a tiny temperature gives -inf, not NaN.
            scaled = (logits64 - logits64.max()) / self._temperature
            chosen = torch.multinomial(scaled.softmax(-1), 1, generator=self._generator)[:, 0]
        else:
            chosen = logits64.argmax(-1)
        self.chosen.append(int(chosen))
        return chosen


def answer(model: RecurrentNetwork, question: Question, step: int) -> Answer:
    """Answer a question with a network in evaluation mode. Changes nothing, and draws no global random number.

    Raises:
        QuestionError: for a question that cannot be read, or a network whose outputs are not finite.
    """
    encoded = encode_question(model.experiment, question)
    with torch.no_grad():
        if model.experiment.rnn_type in AUTOREGRESSIVE_TYPES:
            output, logits = _generate(model, encoded.batch, question)
            inputs = encoded.batch.inputs if model.is_encoder_decoder else encoded.batch.inputs[:1]
            read_logits = logits.new_full((len(inputs), 1, logits.shape[-1]), torch.nan)
            counted, targets = np.zeros(len(inputs), bool), None
        else:
            inputs, counted = encoded.batch.inputs, encoded.batch.mask[:, 0].copy()
            targets = encoded.batch.targets[:, 0].copy() if encoded.known else None
            read_logits = _at_every_step(model, model(encoded.batch), len(inputs))
            if not torch.isfinite(read_logits[-1]).all():
                raise QuestionError(NOT_FINITE)
            output, logits = _continue(model, encoded.batch, question)
    return Answer(
        question=question,
        step=step,
        inputs=inputs[:, 0].copy(),
        counted=counted,
        outputs=_predictions(model, read_logits),
        targets=targets,
        generated=output,
        generated_outputs=_predictions(model, logits),
        future=None if encoded.future is None else encoded.future.copy(),
    )


def _generate(model: RecurrentNetwork, batch: Batch, question: Question) -> tuple[np.ndarray, Tensor]:
    """Run the network freely until its end symbol, or, if it has none, for the number of counted steps.

    Returns:
        (n,) the generated symbols, and (n, 1, output_size) their logits.
    """
    sampler = SymbolSampler(question.temperature, question.seed)
    logits = model.generate(batch, sampler)
    sampler(logits[-1])  # the last output is never an input, so it has not been sampled yet
    end = _end_symbol(model)
    stop = sampler.chosen.index(end) + 1 if end in sampler.chosen else len(sampler.chosen)
    if end is None:
        stop = int(batch.mask.sum())
    return np.array(sampler.chosen[:stop], np.int64), logits[:stop]


def _continue(model: RecurrentNetwork, batch: Batch, question: Question) -> tuple[np.ndarray, Tensor]:
    """After the input, feed each output back, carrying on the state: for `question.steps` steps or to the end symbol.

    The sequence grows, no window slides over it: a series is relative to its first value, a text starts at NO_SYMBOL.

    Returns:
        (n,) symbols or (n, output_size) values, and (n, 1, output_size) the logits or the same values.
    """
    sampler, end = SymbolSampler(question.temperature, question.seed), _end_symbol(model)

    def next_input(output: Tensor) -> np.ndarray | None:
        if not model.symbols_out:
            return output.cpu().numpy()
        chosen = sampler(output)
        return None if sampler.chosen[-1] == end else chosen.cpu().numpy()

    logits = feed_back(model, batch, question.steps, next_input)
    if not torch.isfinite(logits).all():
        raise QuestionError(NOT_FINITE)
    return np.array(sampler.chosen, np.int64) if model.symbols_out else logits[:, 0].cpu().numpy(), logits


def feed_back(
    model: RecurrentNetwork, batch: Batch, steps: int, next_input: Callable[[Tensor], np.ndarray | None]
) -> Tensor:
    """Read a batch without padding, then go on, each output giving the next input; the state is carried on.

    Args:
        next_input: called once a step with the newest outputs, (n, output_size); returns the (n, ...) inputs that
            follow, or None to end.

    Returns:
        (at most `steps`, n, output_size) the outputs, the first after the last input.
    """
    e = model.experiment
    window = 1 if CELLS[e.cell].is_recurrent else e.window  # inputs that one step reads
    last = np.ones(batch.inputs.shape[1], np.int64)
    inputs, entering, state = batch.inputs, model.embed(batch), model.start(batch.inputs.shape[1])
    outputs: list[Tensor] = []
    for step in range(steps):
        states, state = model.recurrent(entering, state)
        outputs.append(model.apply_head(states[-1:], last))
        following = next_input(outputs[-1][0])
        if following is None or step == steps - 1:
            break
        inputs = np.concatenate([inputs[-window:], following[None]])
        entering = model.embed(dataclasses.replace(batch, inputs=inputs))[-1:]
    return torch.cat(outputs) if outputs else entering.new_zeros(0, len(last), model.head.out_features)


def _end_symbol(model: RecurrentNetwork) -> int | None:
    """The symbol that ends an answer; None if the answer has no end symbol."""
    return task_of(model.experiment).output_labels.index(END) if ends_itself(model.experiment) else None


def _at_every_step(model: RecurrentNetwork, logits: Tensor, steps: int) -> Tensor:
    """(steps, 1, output_size): for many_to_one, NaN at all steps before the last."""
    if model.experiment.rnn_type != "many_to_one":
        return logits
    return torch.cat([logits.new_full((steps - 1, 1, logits.shape[-1]), torch.nan), logits])


def _predictions(model: RecurrentNetwork, logits: Tensor) -> np.ndarray:
    """(steps, output_size) class probabilities, or the values themselves."""
    return (torch.softmax(logits, -1) if model.symbols_out else logits)[:, 0].cpu().numpy().copy()
