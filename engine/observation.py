"""One forward call, remembered: what every layer and direction did, recomputed from states, weights and inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from engine.cells.adjoint import Record, Weights
from engine.cells.gru import GRURecord
from engine.cells.lstm import LSTMRecord
from engine.cells.rnn import RNNRecord
from engine.model import RecurrentNetwork
from engine.tasks import Batch

RECORDS: dict[type[nn.RNNBase], Callable[[Weights, Tensor, Tensor, str], Record]] = {
    nn.RNN: RNNRecord,
    nn.GRU: GRURecord,
    nn.LSTM: LSTMRecord,
}


@dataclass(frozen=True, eq=False)
class Observation:
    """One forward call, remembered. `records[layer][direction]` is in the direction's own time order."""

    model: RecurrentNetwork
    batch: Batch
    logits: Tensor
    output: Tensor
    records: list[list[Record]]

    def states(self, pick: Callable[[Record], Tensor | None], sequence: int | None = None) -> np.ndarray:
        """(layers, directions, T, batch, units) of what `pick` finds in each record, or of one sequence without batch.

        In order of position; padded steps are 0.
        """
        chosen = slice(None) if sequence is None else slice(sequence, sequence + 1)
        lengths, valid = self.batch.lengths[chosen], _valid(self.batch)[:, chosen, None]

        def natural(record: Record, direction: int) -> np.ndarray:
            values = pick(record)
            assert values is not None
            values = values[:, chosen]
            whole = (flip(values, lengths) if direction else values).cpu().numpy() * valid
            return whole if sequence is None else whole[:, 0]

        return np.stack([[natural(record, d) for d, record in enumerate(layer)] for layer in self.records])

    def gates(self, sequence: int | None = None) -> dict[str, np.ndarray]:
        """The gate values by name, shaped as `states`."""
        return {name: self.states(lambda r, n=name: r.gates[n], sequence) for name in self.records[0][0].gates}  # type: ignore[misc]


@torch.no_grad()
def observe(model: RecurrentNetwork, batch: Batch) -> Observation:
    """Call the model once, in evaluation mode, and recompute what every layer and direction did."""
    calls: list[tuple[Tensor, Tensor]] = []

    def keep(module: nn.Module, args: tuple, result: tuple) -> None:
        calls.append((_padded(args[0], len(batch.inputs)), _padded(result[0], len(batch.inputs))))

    handle, training = model.recurrent.register_forward_hook(keep), model.training
    model.eval()
    try:
        logits = model(batch)
    finally:
        handle.remove()
        model.train(training)
    inputs = torch.cat([call[0] for call in calls])  # several calls where back-propagation is truncated
    output = torch.cat([call[1] for call in calls])
    return Observation(model, batch, logits, output, _records(model.recurrent, inputs, output, batch.lengths))


def _records(recurrent: nn.RNNBase, inputs: Tensor, output: Tensor, lengths: np.ndarray) -> list[list[Record]]:
    """Every layer's states again, one layer and direction at a time; the top layer's are the output itself."""
    make, width = RECORDS[type(recurrent)], recurrent.hidden_size
    nonlinearity = getattr(recurrent, "nonlinearity", "tanh")
    rows: list[list[Record]] = []
    for layer in range(recurrent.num_layers):
        top, row, outputs = layer == recurrent.num_layers - 1, [], []
        for d in range(2 if recurrent.bidirectional else 1):
            weights = _weights(recurrent, layer, d)
            seen = flip(inputs, lengths) if d else inputs
            if top:
                hidden = output[..., d * width : (d + 1) * width]
                hidden = flip(hidden, lengths) if d else hidden
            else:
                hidden = _run_alone(recurrent, weights, seen)
            row.append(make(weights, seen, hidden, nonlinearity))
            outputs.append(flip(hidden, lengths) if d else hidden)
        rows.append(row)
        inputs = torch.cat(outputs, dim=-1)
    return rows


def _weights(recurrent: nn.RNNBase, layer: int, direction: int) -> Weights:
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if recurrent.bias else [])
    found = [getattr(recurrent, name + suffix).detach() for name in names]
    return Weights(found[0], found[1], *(found[2:] or (None, None)))


def _run_alone(recurrent: nn.RNNBase, weights: Weights, inputs: Tensor) -> Tensor:
    """One layer in one direction by the library's own kernel: (T, B, H)."""
    kind: Callable[..., nn.Module] = type(recurrent)
    shell = _shell(kind, inputs.shape[-1], recurrent.hidden_size, recurrent.bias,
                   getattr(recurrent, "nonlinearity", None))  # fmt: skip
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    given = {name: value for name, value in zip(names, weights, strict=True) if value is not None}
    return torch.func.functional_call(shell, given, (inputs,))[0]


@cache
def _shell(
    kind: Callable[..., nn.Module], input_size: int, hidden_size: int, bias: bool, nonlinearity: str | None
) -> nn.Module:
    """A one-layer module without weights of its own, to be called with somebody else's."""
    options = {} if nonlinearity is None else {"nonlinearity": nonlinearity}
    return kind(input_size, hidden_size, bias=bias, device="meta", **options)


def _padded(value: Tensor | PackedSequence, seq_len: int) -> Tensor:
    return pad_packed_sequence(value, total_length=seq_len)[0] if isinstance(value, PackedSequence) else value


def flip(values: Tensor, lengths: np.ndarray, batch_axis: int = 1) -> Tensor:
    """Reverse time (axis 0) within each sequence's own length, padding left where it is; its own inverse."""
    seq_len = len(values)
    if (lengths == seq_len).all():
        return values.flip(0)
    t = np.arange(seq_len)[:, None]
    order = torch.tensor(np.where(t < lengths, lengths - 1 - t, t), device=values.device)
    shape = [1] * values.dim()
    shape[0], shape[batch_axis] = seq_len, len(lengths)
    return values.take_along_dim(order.view(shape).expand_as(values), 0)


def _valid(batch: Batch) -> np.ndarray:
    """(T, batch) bool: real steps, not padding."""
    return np.arange(len(batch.mask))[:, None] < batch.lengths
