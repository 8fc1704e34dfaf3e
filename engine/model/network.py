"""The network: embedding -> recurrent layers (PyTorch's own where it has them) -> output layers -> head; its loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import dropout, pad
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.layers.make import RecurrentLayers, make_layers
from engine.layers.step_layers import State
from engine.model.attention import attend, score_scale
from engine.model.both_ways import sum_of_directions, sum_of_ends
from engine.model.carried_state import CarriedState, detach
from engine.model.feeding_back import as_input, is_given
from engine.model.losses import cross_entropies, value_losses
from engine.model.recurrent_dropout import masked_weights
from engine.tasks import Batch, task_of


def most_probable(logits: Tensor) -> Tensor:
    """Choose the symbol with the largest logit, (..., output_size) to (...)."""
    return logits.argmax(-1)


class RecurrentNetwork(nn.Module):
    """A network for one experiment: embedding -> recurrent layers -> output layers -> head.

    `recurrent` is nn.RNN, nn.GRU or nn.LSTM if PyTorch has the cell; an encoder-decoder has `encoder` and `decoder`
    instead. `upper` are the output layers, which have no connections in time. Time is the first axis. The initial state
    is 0, or `start_h` and `start_c`, (layers * directions, H), where it is learned; a decoder starts, layer by layer,
    from the encoder's last state. No state is carried from batch to batch. With attention the decoder also reads all
    states of the encoder's top layer; what it reads stands beside its own state. An encoder can read both ways: a
    decoder never does, and gets the sum of both directions wherever it gets a state of the encoder.

    What is different in a network with one of the bugs of `engine.bugs` stands in `engine.model.bugs`.
    """

    reads_reverse_at_its_start = False
    """True if the only answer reads the reverse direction at the last position, where it begins."""
    reads_across_the_batch = False
    """True if the state goes from sequence to sequence instead of from step to step."""
    kept_state: Tensor | State | None = None
    """The state in which the next batch begins, where one is kept by mistake."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        e, task = experiment, task_of(experiment)
        self.experiment, self.symbols_in, self.symbols_out = e, task.inputs == "symbols", task.outputs == "symbols"
        self.is_encoder_decoder = e.rnn_type == "encoder_decoder"
        self.attends = e.attention != "none"
        self.embedding = nn.Embedding(task.input_size, e.embedding_size) if e.embedding_size else None
        if self.is_encoder_decoder:
            self.decoder_embedding = nn.Embedding(task.output_size, e.embedding_size) if e.embedding_size else None
            self.encoder = make_layers(e, e.input_size)
            self.decoder = make_layers(e, e.embedding_size or task.output_size, reads_both_ways=False)
        else:
            self.recurrent = make_layers(e, e.input_size)
        sizes = [e.readout_size, *[e.hidden_size] * e.output_layers]
        self.upper = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], task.output_size)
        if e.tied_weights:
            tied = self.decoder_embedding if self.is_encoder_decoder else self.embedding
            assert tied is not None
            self.head.weight = tied.weight
        states = CELLS[e.cell].states if e.learned_start and CELLS[e.cell].is_recurrent else ()
        for state in states:
            self.register_parameter(
                f"start_{state}", nn.Parameter(torch.zeros(e.num_layers * e.directions, e.hidden_size))
            )
        self._starts = tuple(f"start_{state}" for state in states)

    @property
    def stacks(self) -> list[RecurrentLayers]:
        """The recurrent modules in the order in which they run."""
        return [self.encoder, self.decoder] if self.is_encoder_decoder else [self.recurrent]

    def start(self, sequences: int) -> Tensor | State | None:
        """The learned state before the first step, as layers take it; None where it is 0."""
        states = tuple(self.get_parameter(name)[:, None].repeat(1, sequences, 1) for name in self._starts)
        return (states if len(states) > 1 else states[0]) if states else None

    def forward(self, batch: Batch, carried: CarriedState | None = None, is_masked: bool = False) -> Tensor:
        """Compute logits or values.

        An autoregressive network is given the true previous outputs (teacher forcing): always in evaluation mode, in
        training mode with probability `teacher_forcing`, drawn from torch's global generator.

        Args:
            carried: of a network with an output at every step, the state to begin with; the state after the last step
                is put there. None: the start, and it is forgotten.
            is_masked: the recurrent weights are those of `recurrent_dropout` already.

        Returns:
            (T, batch, output_size); T is 1 for many_to_one, and the target's length for encoder_decoder.
        """
        if self.training and self.experiment.recurrent_dropout and not is_masked:
            return functional_call(self, masked_weights(self, self.experiment), (batch, carried), {"is_masked": True})
        forcing = self.experiment.teacher_forcing if self.training else 1.0
        if self.experiment.rnn_type in AUTOREGRESSIVE_TYPES and forcing < 1:
            return self._run_step_by_step(batch, forcing)
        if self.is_encoder_decoder:
            assert batch.decoder_inputs is not None
            target_inputs = self._disturb(
                self._embed_tokens(batch.decoder_inputs, self.decoder_embedding, self.head.out_features)
            )
            memory, state = self._encode(batch)
            return self._answer(
                self.read_out(self.decoder(target_inputs, state)[0], memory, batch.lengths), batch.lengths
            )
        return self._answer(self._run_recurrent(self.embed(batch), batch.lengths, carried), batch.lengths)

    def generate(self, batch: Batch, choose: Callable[[Tensor], Tensor] = most_probable) -> Tensor:
        """As `forward`, but the network is given only its own outputs. Returns logits, (T, batch, output_size).

        Args:
            choose: picks the symbol that is fed back, (batch, output_size) logits to (batch,); called once for each
                step except the last, in order.
        """
        return self._run_step_by_step(batch, 0.0, choose)

    def embed(self, batch: Batch) -> Tensor:
        """Compute the input of the first recurrent layer, (T, batch, input_size): one-hot code, embedding or values.

        A feed-forward cell gets the last `window` of them concatenated, with zeros before the first.
        """
        if self.symbols_in:
            seen = self._embed_tokens(batch.inputs, self.embedding, task_of(self.experiment).input_size)
        else:
            seen = self._tensor(batch.inputs, self.dtype)
        seen = self._disturb(seen)
        if not CELLS[self.experiment.cell].is_recurrent and self.experiment.window > 1:
            back = range(self.experiment.window - 1, -1, -1)
            seen = torch.cat([pad(seen, (0, 0, 0, 0, k, 0))[: len(seen)] for k in back], dim=-1)
        return seen

    def _disturb(self, seen: Tensor) -> Tensor:
        """Add Gaussian noise and drop inputs, by torch's global generator, in training mode only."""
        e = self.experiment
        if not self.training:
            return seen
        seen = seen + e.noise * torch.randn_like(seen) if e.noise else seen
        return dropout(seen, e.input_dropout) if e.input_dropout else seen

    def _embed_tokens(self, tokens: np.ndarray, table: nn.Embedding | None, symbols: int) -> Tensor:
        """Embed tokens (T, batch), or encode them as one-hot if there is no table; NO_SYMBOL becomes zeros."""
        indices = self._tensor(tokens, torch.int64)
        if table is None:
            return (indices[..., None] == torch.arange(symbols, device=indices.device)).to(self.dtype)
        return table(indices.clamp(min=0)) * (indices >= 0)[..., None]

    def _run_recurrent(self, inputs: Tensor, lengths: np.ndarray, carried: CarriedState | None = None) -> Tensor:
        """Top-layer states (T, batch, directions * H). One direction needs no packing, because padding comes last."""
        padded, state = bool((lengths < len(inputs)).any()), self.start(len(lengths))
        if self.experiment.bidirectional and padded:
            return pad_packed_sequence(self.recurrent(_pack(inputs, lengths), state)[0], total_length=len(inputs))[0]
        if carried is not None:
            output, state = self.recurrent(inputs, carried.state)
            carried.state = detach(state)
            return output
        cuts = self.truncation_points(len(inputs))
        if not cuts:
            return self.recurrent(inputs, state)[0]
        outputs = []
        for start, stop in zip([0, *cuts], [*cuts, len(inputs)], strict=True):
            output, state = self.recurrent(inputs[start:stop], state)
            state = detach(state)
            outputs.append(output)
        return torch.cat(outputs)

    def _encode(self, batch: Batch) -> tuple[Tensor | None, Tensor | State]:
        """The top layer's states (S, batch, H), for attention alone, and every layer's state at the last step of each
        source sequence, of both directions together: all that the decoder gets from the encoder."""
        seen = self.embed(batch)
        padded = bool((batch.lengths < len(seen)).any())
        states, ends = self.encoder(_pack(seen, batch.lengths) if padded else seen, self.start(len(batch.lengths)))
        ends = sum_of_ends(ends, self.experiment.directions)
        if not self.attends:
            return None, ends
        states = pad_packed_sequence(states, total_length=len(seen))[0] if padded else states
        return sum_of_directions(states, self.experiment.hidden_size), ends

    def read_out(self, states: Tensor, memory: Tensor | None, lengths: np.ndarray) -> Tensor:
        """What the layers above the decoder read: its states, (D, batch, H); with attention the contexts beside them,
        (D, batch, 2 H).

        Args:
            memory: what attention reads at every step of the encoder, (S, batch, H); None without attention.
        """
        if memory is None:
            return states
        return torch.cat([states, self.attend(states, memory, lengths)[0]], -1)

    def attend(self, states: Tensor, memory: Tensor, lengths: np.ndarray) -> tuple[Tensor, Tensor]:
        """The contexts and the weights; see `engine.model.attention.attend`."""
        scale = score_scale(self.experiment.attention, self.experiment.hidden_size)
        return attend(states, memory, torch.tensor(lengths, device=states.device), scale)

    def _run_step_by_step(
        self, batch: Batch, forcing: float, choose: Callable[[Tensor], Tensor] = most_probable
    ) -> Tensor:
        """Run step by step; the next input is the true previous output with probability `forcing`, else the own one.

        The own output is fed back as a symbol, so no gradient flows through it.
        """
        layers, given = (
            (self.decoder, batch.decoder_inputs) if self.is_encoder_decoder else (self.recurrent, batch.inputs)
        )
        memory, state = self._encode(batch) if self.is_encoder_decoder else (None, self.start(len(batch.lengths)))
        assert given is not None
        cuts = self.truncation_points(len(given))
        logits: list[Tensor] = []
        for t, row in enumerate(given):
            fed = row[None].copy()
            if t:
                own = as_input(choose(logits[-1][0].detach()).cpu().numpy(), row, self.head.out_features)
                fed = np.where(is_given(row, forcing), fed, own[None])
            if state is not None and t in cuts:
                state = detach(state)
            if self.is_encoder_decoder:
                seen = self._disturb(self._embed_tokens(fed, self.decoder_embedding, self.head.out_features))
            else:
                seen = self.embed(dataclasses.replace(batch, inputs=fed))
            output, state = layers(seen, state)
            logits.append(self._answer(self.read_out(output, memory, batch.lengths), batch.lengths))
        return torch.cat(logits)

    def truncation_points(self, seq_len: int) -> list[int]:
        """Steps t at which truncation cuts the connection from t - 1; pieces of `reach` steps, counted from the end."""
        piece = self.experiment.reach
        return sorted(range(seq_len - piece, 0, -piece)) if piece else []

    def output_layers_forward(self, output: Tensor) -> list[Tensor]:
        """Apply the output layers (tanh) to what they read (..., `readout_size`). Returns every layer's state."""
        states: list[Tensor] = []
        for layer in self.upper:
            states.append(torch.tanh(layer(states[-1] if states else output)))
        return states

    def apply_head(self, output: Tensor, lengths: np.ndarray) -> Tensor:
        """Apply output layers and head to the `final_states` of top-layer states (T, batch, directions * H).

        Never with dropout, in whatever mode: the lens calls it.
        """
        end = self.final_states(output, lengths)
        return self.head([end, *self.output_layers_forward(end)][-1])

    def _answer(self, output: Tensor, lengths: np.ndarray) -> Tensor:
        """As `apply_head`, but in training mode `head_dropout` acts on the `final_states` first.

        Each call draws a mask from torch's global generator: one for all steps together, or one for each step where
        outputs are fed back.
        """
        share = self.experiment.head_dropout if self.training else 0.0
        if not share:
            return self.apply_head(output, lengths)
        end = dropout(self.final_states(output, lengths), share)
        return self.head([end, *self.output_layers_forward(end)][-1])

    def final_states(self, output: Tensor, lengths: np.ndarray) -> Tensor:
        """Select the top-layer states that the head reads: all, or for many_to_one one per sequence.

        That one is the state at each direction's own last step: the sequence's last real step forwards, position 0 in
        the reverse direction. Shape (1, batch, directions * H).
        """
        if self.experiment.rnn_type == "many_to_one":
            width = self.experiment.hidden_size
            if bool((lengths == len(output)).all()):
                last = output[-1]
            else:
                ends = torch.tensor(lengths - 1, device=output.device)
                last = output[ends, torch.arange(len(ends), device=output.device)]
            if self.experiment.bidirectional:
                last = torch.cat([last[:, :width], output[0, :, width:]], dim=-1)
            return last[None]
        return output

    def predictions(self, logits: Tensor, batch: Batch) -> np.ndarray:
        """Probabilities or values (T, batch, output_size) on the targets' time axis, NaN at steps without an output."""
        answered = (torch.softmax(logits, -1) if self.symbols_out else logits).cpu().numpy()
        return batch.at_ends(answered[0]) if self.experiment.rnn_type == "many_to_one" else answered

    def step_losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of every step, (T, batch): nats, or the error averaged over output units; 0 if not counted."""
        losses = self._losses(logits, self._counted_targets(batch))
        if self.experiment.rnn_type != "many_to_one":
            return losses * self._tensor(batch.mask, losses.dtype)
        full = losses.new_zeros(batch.mask.shape)
        full[torch.tensor(batch.lengths - 1), torch.arange(len(batch.lengths))] = losses[0]
        return full

    def _counted_targets(self, batch: Batch) -> np.ndarray:
        """The targets of the steps with an output: all, or each sequence's last."""
        if self.experiment.rnn_type != "many_to_one":
            return batch.targets
        return batch.targets[batch.lengths - 1, np.arange(len(batch.lengths))][None]

    def given_to_loss(self, logits: Tensor) -> Tensor:
        """What cross-entropy is given: the logits."""
        return logits

    def _losses(self, logits: Tensor, targets: np.ndarray) -> Tensor:
        """The loss of each output, (steps, batch)."""
        if self.symbols_out:
            classes, logits = self._tensor(targets, torch.int64), self.given_to_loss(logits)
            return cross_entropies(logits, classes)
        return value_losses(logits, self._tensor(targets, logits.dtype), self.experiment.loss)

    def loss_weights(self, batch: Batch) -> Tensor:
        """The weight of each step's loss in l_b, (T, batch): 1 / counted steps, or 1 for reduction "sum"."""
        mask = self._tensor(batch.mask, self.dtype)
        return mask if self.experiment.reduction == "sum" else mask / mask.sum(0)

    def loss_per_step(self, batch: Batch) -> Tensor:
        """Run the network and compute l[t, b], (T, batch); 0 where no loss is counted."""
        return self.step_losses(self(batch), batch)

    def loss(self, batch: Batch, carried: CarriedState | None = None) -> Tensor:
        """Run the network and compute the loss to be differentiated: the mean over the batch of each sequence's l_b.

        Args:
            carried: as of `forward`.
        """
        losses = self._losses(self(batch, carried), self._counted_targets(batch))
        if self.experiment.rnn_type == "many_to_one":
            return losses.mean()  # with one loss per sequence, mean and sum are the same
        return (losses * self.loss_weights(batch)).sum() / len(batch.lengths)

    @property
    def dtype(self) -> torch.dtype:
        """float32, or float64 after `.double()`."""
        return self.head.weight.dtype

    def _tensor(self, array: np.ndarray, dtype: torch.dtype) -> Tensor:
        """Copy to a tensor: arrays of a batch may be read-only, or views of a single row."""
        return torch.tensor(array, dtype=dtype, device=self.head.weight.device)


def _pack(inputs: Tensor, lengths: np.ndarray) -> PackedSequence:
    return pack_padded_sequence(inputs, torch.tensor(lengths), enforce_sorted=False)
