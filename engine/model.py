"""The network: embedding -> recurrent layers (the library's own) -> head, and its loss."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.tasks import TASKS, Batch

LIBRARY = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentNetwork(nn.Module):
    """A recurrent network for one experiment. `recurrent` is the library's nn.RNN, nn.GRU or nn.LSTM.

    Everything is time first. h_0 = c_0 = 0, and no state is carried from batch to batch.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        e, task = experiment, TASKS[experiment.task]
        self.experiment, self.symbols_in, self.symbols_out = e, task.inputs == "symbols", task.outputs == "symbols"
        options = {"nonlinearity": e.nonlinearity} if e.cell == "rnn" else {}
        self.embedding = nn.Embedding(task.input_size, e.embedding_size) if e.embedding_size else None
        self.recurrent = LIBRARY[e.cell](
            e.input_size, e.hidden_size, e.num_layers, bidirectional=e.bidirectional, dropout=e.dropout, **options
        )
        self.head = nn.Linear(e.hidden_size * e.directions, task.output_size)
        if self.symbols_in and self.embedding is None:
            self.register_buffer("one_hot", torch.eye(task.input_size), persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """Logits or values: (T, batch, output_size) for many_to_many, (1, batch, output_size) for many_to_one."""
        return self.read(self._recur(self.embed(batch), batch.lengths), batch.lengths)

    def embed(self, batch: Batch) -> Tensor:
        """What the first recurrent layer sees, (T, batch, input_size): one-hot, embedding or values."""
        if not self.symbols_in:
            return self._tensor(batch.inputs, self.dtype)
        tokens = self._tensor(batch.inputs, torch.int64)
        table = self.get_buffer("one_hot") if self.embedding is None else self.embedding.weight
        seen = table[tokens.clamp(min=0)]
        if (batch.inputs < 0).any():  # NO_SYMBOL is the zero vector
            seen = seen * (tokens >= 0)[..., None]
        return seen

    def _recur(self, inputs: Tensor, lengths: np.ndarray) -> Tensor:
        """Top-layer states (T, batch, directions * H). Reading one way needs no packing: padding comes last."""
        padded = bool((lengths < len(inputs)).any())
        if self.experiment.bidirectional and padded:
            packed = nn.utils.rnn.pack_padded_sequence(inputs, torch.tensor(lengths), enforce_sorted=False)
            return nn.utils.rnn.pad_packed_sequence(self.recurrent(packed)[0], total_length=len(inputs))[0]
        cuts = self.cuts(len(inputs))
        if not cuts:
            return self.recurrent(inputs)[0]
        outputs, state = [], None
        for start, stop in zip([0, *cuts], [*cuts, len(inputs)], strict=True):
            output, state = self.recurrent(inputs[start:stop], state)
            state = tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
            outputs.append(output)
        return torch.cat(outputs)

    def cuts(self, seq_len: int) -> list[int]:
        """Truncation: the steps t at which the link from t - 1 is cut, pieces of `tbptt` counted from the end."""
        piece = self.experiment.tbptt
        return sorted(range(seq_len - piece, 0, -piece)) if piece else []

    def read(self, output: Tensor, lengths: np.ndarray) -> Tensor:
        """The head on top-layer states (T, batch, directions * H): at every step, or where reading has ended.

        many_to_one reads h_n: each sequence's own last step forwards, and position 0 of the reverse direction,
        which is where that one ends.
        """
        if self.experiment.rnn_type == "many_to_many":
            return self.head(output)
        width = self.experiment.hidden_size
        ends = torch.tensor(lengths - 1, device=output.device)
        last = output[ends, torch.arange(len(ends), device=output.device)]
        if self.experiment.bidirectional:
            last = torch.cat([last[:, :width], output[0, :, width:]], dim=-1)
        return self.head(last)[None]

    def step_losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """(T, batch), 0 where no loss is counted. Nats, or squared error averaged over the output units."""
        losses = self._losses(logits, self._read_targets(batch))
        if self.experiment.rnn_type == "many_to_many":
            return losses * self._tensor(batch.mask, losses.dtype)
        full = losses.new_zeros(batch.mask.shape)
        full[torch.tensor(batch.lengths - 1), torch.arange(len(batch.lengths))] = losses[0]
        return full

    def _read_targets(self, batch: Batch) -> np.ndarray:
        """The targets of the steps that `forward` answers at: all, or each sequence's last."""
        if self.experiment.rnn_type == "many_to_many":
            return batch.targets
        return batch.targets[batch.lengths - 1, np.arange(len(batch.lengths))][None]

    def _losses(self, logits: Tensor, targets: np.ndarray) -> Tensor:
        """The loss of every logit given, (steps, batch)."""
        if self.symbols_out:
            classes = self._tensor(targets, torch.int64)
            return cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none").view(classes.shape)
        return mse_loss(logits, self._tensor(targets, logits.dtype), reduction="none").mean(-1)

    def loss_weights(self, batch: Batch) -> Tensor:
        """(T, batch): the weight of each step's loss in l_b, 1 / counted steps, or 1 for reduction "sum"."""
        mask = self._tensor(batch.mask, self.dtype)
        return mask if self.experiment.reduction == "sum" else mask / mask.sum(0)

    def loss_per_step(self, batch: Batch) -> Tensor:
        """(T, batch): l[t, b], 0 where no loss is counted."""
        return self.step_losses(self(batch), batch)

    def loss(self, batch: Batch) -> Tensor:
        """The scalar that is differentiated: the mean over the batch of each sequence's l_b."""
        losses = self._losses(self(batch), self._read_targets(batch))
        if self.experiment.rnn_type == "many_to_one":
            return losses.mean()  # one loss each: its own mean and sum
        return (losses * self.loss_weights(batch)).sum() / len(batch.lengths)

    @property
    def dtype(self) -> torch.dtype:
        """float32, or float64 after `.double()`."""
        return self.head.weight.dtype

    def _tensor(self, array: np.ndarray, dtype: torch.dtype) -> Tensor:
        """A copy: batches may be read-only, or views of one row."""
        return torch.tensor(array, dtype=dtype, device=self.head.weight.device)


def build(experiment: Experiment) -> RecurrentNetwork:
    """The untrained network of an experiment: its weights depend on the experiment alone.

    The library's constructors draw from torch's global generator, which is put back as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        model = RecurrentNetwork(experiment)
        with torch.no_grad():
            _initialise(model.recurrent, experiment)
    return model.to(experiment.device)


def _initialise(recurrent: nn.RNNBase, experiment: Experiment) -> None:
    """`init` and `init_gain` draw weight_hh, gate block by gate block; `forget_bias` sets the gate that keeps."""
    for name, parameter in recurrent.named_parameters():
        if name.startswith("weight_hh"):
            for block in parameter.split(experiment.hidden_size):
                _draw_block(block, experiment.init)
            parameter.mul_(experiment.init_gain)
        elif experiment.init == "identity" and name.startswith("weight_ih"):
            nn.init.normal_(parameter, std=0.001)
        elif experiment.init == "identity":
            nn.init.zeros_(parameter)
    cell = CELLS[experiment.cell]
    if experiment.forget_bias is not None and cell.keep_gate is not None:
        start = cell.gates.index(cell.keep_gate) * experiment.hidden_size
        for name, parameter in recurrent.named_parameters():
            if name.startswith("bias"):  # two vectors are added: the total stands in one, the other is zeroed
                total = experiment.forget_bias if name.startswith("bias_ih") else 0.0
                parameter[start : start + experiment.hidden_size] = total


def _draw_block(block: Tensor, init: str) -> None:
    """One (H, H) block of weight_hh, in place."""
    if init == "orthogonal":
        nn.init.orthogonal_(block)
    elif init == "identity":
        nn.init.eye_(block)
    elif init == "xavier":
        nn.init.xavier_uniform_(block)
    elif init == "gaussian":
        nn.init.normal_(block, std=1 / math.sqrt(len(block)))
