"""A network that answers a question: it reads, and goes on by itself, each output being the next input."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from engine.ask.question import Answer, Question, QuestionError, ends_itself, read
from engine.experiment import AUTOREGRESSIVE_TYPES
from engine.model import RecurrentNetwork
from engine.tasks import END, TASKS, Batch

NOT_FINITE = "The network's numbers are no longer finite, so it has no answer."


class Choice:
    """Chooses symbols by their logits, and remembers them. Draws from a generator of its own."""

    def __init__(self, temperature: float, seed: int) -> None:
        self.made: list[int] = []
        self._temperature, self._generator = temperature, torch.Generator().manual_seed(seed)

    def __call__(self, logits: Tensor) -> Tensor:
        """(1, output_size) logits to (1,) a symbol: drawn from softmax(logits / temperature), the largest at 0."""
        if not torch.isfinite(logits).all():
            raise QuestionError(NOT_FINITE)
        wide = logits.double().cpu()
        if self._temperature:
            apart = (wide - wide.max()) / self._temperature  # at most 0: a tiny temperature gives 0 and -inf, no nan
            chosen = torch.multinomial(apart.softmax(-1), 1, generator=self._generator)[:, 0]
        else:
            chosen = wide.argmax(-1)
        self.made.append(int(chosen))
        return chosen


def answer(model: RecurrentNetwork, question: Question, step: int) -> Answer:
    """Ask a network in evaluation mode. Changes nothing, and draws no global random number.

    Raises:
        QuestionError: for a question that cannot be read, or a network whose numbers are not finite.
    """
    reading = read(model.experiment, question)
    with torch.no_grad():
        if model.experiment.rnn_type in AUTOREGRESSIVE_TYPES:
            said, logits = _speak(model, reading.batch, question)
            inputs = reading.batch.inputs if model.is_encoder_decoder else reading.batch.inputs[:1]
            read_logits = logits.new_full((len(inputs), 1, logits.shape[-1]), torch.nan)
            counted, targets = np.zeros(len(inputs), bool), None
        else:
            inputs, counted = reading.batch.inputs, reading.batch.mask[:, 0].copy()
            targets = reading.batch.targets[:, 0].copy() if reading.known else None
            read_logits = _everywhere(model, model(reading.batch), len(inputs))
            if not torch.isfinite(read_logits[-1]).all():
                raise QuestionError(NOT_FINITE)
            said, logits = _go_on(model, reading.batch, question)
    return Answer(
        question=question,
        step=step,
        inputs=inputs[:, 0].copy(),
        counted=counted,
        outputs=_shown(model, read_logits),
        targets=targets,
        said=said,
        said_outputs=_shown(model, logits),
        future=None if reading.future is None else reading.future.copy(),
    )


def _speak(model: RecurrentNetwork, batch: Batch, question: Question) -> tuple[np.ndarray, Tensor]:
    """Run freely, up to the symbol that ends an answer, or else for as many steps as are asked.

    Returns:
        (n,) the symbols said, and (n, 1, output_size) their logits.
    """
    choose = Choice(question.temperature, question.seed)
    logits = model.generate(batch, choose)
    choose(logits[-1])  # the last output is nobody's input, so it was not chosen on the way
    end = _end(model)
    stop = choose.made.index(end) + 1 if end in choose.made else len(choose.made)
    if end is None:
        stop = int(batch.mask.sum())
    return np.array(choose.made[:stop], np.int64), logits[:stop]


def _go_on(model: RecurrentNetwork, batch: Batch, question: Question) -> tuple[np.ndarray, Tensor]:
    """After reading, what was said is read in turn, the state being carried on: `question.steps` times, or to the end.

    The sequence grows, it does not slide: a series counts from its own first value, and a text begins with nothing.

    Returns:
        (n,) symbols or (n, output_size) values, and (n, 1, output_size) their logits or the same values.
    """
    e, choose = model.experiment, Choice(question.temperature, question.seed)
    window = e.window if e.cell == "feedforward" else 1  # inputs that one step looks at
    end, one_step = _end(model), np.ones(1, np.int64)
    inputs, entering, state = batch.inputs, model.embed(batch), None
    found: list[Tensor] = []
    for _ in range(question.steps):
        output, state = model.recurrent(entering, state)
        found.append(model.apply_head(output[-1:], one_step))
        heard = choose(found[-1][0]) if model.symbols_out else found[-1][0]
        if model.symbols_out and choose.made[-1] == end:
            break
        inputs = np.concatenate([inputs[-window:], heard[None].cpu().numpy()])
        entering = model.embed(dataclasses.replace(batch, inputs=inputs))[-1:]
    logits = torch.cat(found) if found else entering.new_zeros(0, 1, model.head.out_features)
    if not torch.isfinite(logits).all():
        raise QuestionError(NOT_FINITE)
    return np.array(choose.made, np.int64) if model.symbols_out else logits[:, 0].cpu().numpy(), logits


def _end(model: RecurrentNetwork) -> int | None:
    """The symbol with which an answer ends itself; None where it goes on for as long as it is asked to."""
    return TASKS[model.experiment.task].output_labels.index(END) if ends_itself(model.experiment) else None


def _everywhere(model: RecurrentNetwork, logits: Tensor, steps: int) -> Tensor:
    """(steps, 1, output_size): a many_to_one network says nothing before its last step."""
    if model.experiment.rnn_type != "many_to_one":
        return logits
    return torch.cat([logits.new_full((steps - 1, 1, logits.shape[-1]), torch.nan), logits])


def _shown(model: RecurrentNetwork, logits: Tensor) -> np.ndarray:
    """(steps, output_size) class probabilities, or the values themselves."""
    return (torch.softmax(logits, -1) if model.symbols_out else logits)[:, 0].cpu().numpy().copy()
