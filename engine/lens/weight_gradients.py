"""Which time steps the gradient of the weights comes from: dL/dW is a sum over time, and these are its terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import WeightGradients
from engine.lens.chain_gradients import ChainGradients, chains_of, row_norms
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch
from engine.tasks.batch import first_counted, last_counted


def weight_gradients(
    model: RecurrentNetwork, batch: Batch, sequence: int = 0, loss: str | int = "last"
) -> WeightGradients:
    """Split dL/dW_hh and dL/dW_ih by time step, for one sequence's `loss` (as in `gradient_flow`).

    The terms of all steps add up to the weight's gradient from this sequence. Lags are counted back from the step where
    the loss enters; for "all", from the last loss in the direction's own time order.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    enters = [where_enters(trace, 0, d, loss) for d in range(trace.shape[1])]
    return weight_gradients_of(sweep(trace, seed(trace, [loss])), (0, 0), enters)


@torch.no_grad()
def weight_gradients_of(
    swept: SweepResult, seeds: tuple[int, int], enters: Sequence[int], sequence: int = 0
) -> WeightGradients:
    """Read the terms of one sequence from a sweep.

    The term of a step is the outer product of dL/d(preactivation) at t and h_{t-1} or x_t, so its norm is the product
    of their norms.

    Args:
        seeds: the number of a seed for each direction.
        enters: the position where the loss of this seed enters, for each direction.
    """
    kind, shape = swept.trace.kind, (*swept.trace.shape, swept.trace.time_steps)
    recurrent = [vector.name for vector in kind.vectors if vector.is_recurrent]
    links = bool(kind.state_blocks or recurrent)
    norms, beyond = [np.full(shape, np.nan) for _ in range(2)], [np.full(shape, np.nan) for _ in range(2)]
    for layer in range(shape[0]):
        for d in range(shape[1]):
            chains = chains_of(swept, layer, d, sequence, seeds[d])
            terms = [_input_terms(chains), *([_state_terms(chains, recurrent)] if links else [])]
            for which, pairs in enumerate(terms):
                for blocks, chain in zip(pairs, chains, strict=True):
                    sizes = [row_norms(slopes) * row_norms(read) for slopes, read in blocks]
                    norms[which][layer, d, chain.positions] = row_norms(torch.stack(sizes, -1)).numpy()
                after = chains_of(swept, layer, 0, sequence, seeds[d])[len(chains) :]  # a decoder that reads one way
                positions = np.concatenate([chain.positions for chain in (*chains, *after)])
                back = int((positions == enters[d]).argmax()) - np.arange(len(positions))  # real steps, not padding
                shares = _shares(pairs)
                beyond[which][layer, d] = _beyond(shares, np.maximum(back[: len(shares)], 0), shape[-1])
    return WeightGradients(
        hh=norms[1] if links else None, ih=norms[0], hh_beyond=beyond[1] if links else None, ih_beyond=beyond[0]
    )


def where_enters(trace: ForwardTrace, sequence: int, direction: int, loss: str | int) -> int:
    """The position where a loss enters; for "all", that of the last loss in the direction's own time order."""
    counted = trace.batch.counted
    if trace.is_read_at_zero(direction):
        return 0
    if not isinstance(loss, str):
        return trace.batch.source_steps + loss
    reads_to_the_start = direction == 1 and not trace.batch.source_steps
    earliest = loss == "first" or (loss == "all" and reads_to_the_start)
    return int((first_counted if earliest else last_counted)(counted)[sequence])


PassTerms = list[tuple[Tensor, Tensor]]
"""Terms of one pass, (slopes (n, rows), read (n, columns)) for some rows of W: step t adds slopes_t outer read_t.

All rows of W_ih read x_t. Those of W_hh read h_{t-1}, or in some gates of some cells something made of it.
"""


def _input_terms(chains: Sequence[ChainGradients]) -> list[PassTerms]:
    return [[(chain.grad_input_proj, chain.cell_trace.inputs[:, 0])] for chain in chains]


def _state_terms(chains: Sequence[ChainGradients], recurrent: list[str]) -> list[PassTerms]:
    """Terms of the recurrent weights: of weight_hh, or of the vector that takes its place."""
    return [
        [
            *((term.slopes, term.read) for term in chain.steps.state_terms),
            *((chain.steps.vectors[name], chain.total.new_ones(len(chain.total), 1)) for name in recurrent),
        ]
        for chain in chains
    ]


def _shares(terms: list[PassTerms]) -> np.ndarray:
    """<term, whole> / ||whole||^2 of every step.

    An encoder and a decoder have separate weights and separate sums; ||whole||^2 is then the sum of both squares.
    """
    size = (
        max(float(slopes.abs().max()) for blocks in terms for slopes, _ in blocks) or 1.0
    )  # 1e-200 squared would be 0
    products, square = [], 0.0
    for blocks in terms:
        product = torch.zeros(len(blocks[0][0]), dtype=torch.float64)
        for slopes, read in blocks:
            scaled = slopes / size
            whole = scaled.T @ read
            product += ((scaled @ whole) * read).sum(-1)
            square += float((whole * whole).sum())
        products.append(product.numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate(products) / square


def _beyond(shares: np.ndarray, lags: np.ndarray, steps: int) -> np.ndarray:
    """For each k the sum of the shares with a lag above k, (steps,); NaN if the whole is 0."""
    if np.isnan(shares).any():
        return np.full(steps, np.nan)
    by_lag = np.zeros(steps + 1)
    np.add.at(by_lag, np.minimum(lags, steps), shares)
    return by_lag[::-1].cumsum()[::-1][1:]
