"""By what factor each step back changes the gradient, and Pascanu's regulariser Omega, made of these factors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.cells import Cell
from engine.frame.readings import StepFactors
from engine.lens.chain_gradients import ChainGradients, chains_of, row_norms
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.sweep import SweepResult, sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch

MIN_NORM = 1e-300  # a smaller float64 gradient has too few digits left to divide by
KEPT, OTHERS = "kept", "other roads"  # names of columns in recordings


def step_factors(model: RecurrentNetwork, batch: Batch, sequence: int = 0, loss: str | int = "last") -> StepFactors:
    """Compute what each step back does to the gradient of `loss` (as in `gradient_flow`), for one sequence.

    Source: the product of slope and weights is that of Pascanu, Mikolov and Bengio (2013), section 2, along the real
    gradient; the shares are ours.
    """
    trace = trace_forward(model, batch).single_sequence(sequence)
    return factors_of(sweep(trace, seed(trace, [loss])), (0, 0))


def omega(model: RecurrentNetwork, batch: Batch) -> np.ndarray:
    """Compute Pascanu's regulariser: the sum over steps of (||J_t^T dL/dh_t|| / ||dL/dh_t|| - 1)^2.

    It is 0 if all norms are preserved. L is the whole loss; the result is the mean over the batch. For an LSTM c takes
    the place of h.
    Source: Pascanu, Mikolov and Bengio (2013), eq. 9, for the plain cell.

    Returns:
        (layers, directions) float64.
    """
    trace = trace_forward(model, batch)
    swept = sweep(trace, seed(trace, ["all"]))
    omegas = [factors_of(swept, (0, 0), sequence).omega for sequence in range(len(batch.lengths))]
    return np.mean(omegas, axis=0)


@torch.no_grad()
def factors_of(swept: SweepResult, seeds: tuple[int, int], sequence: int = 0) -> StepFactors:
    """Read the factors of one sequence from a sweep; `seeds` has the number of a seed for each direction."""
    trace = swept.trace
    kind, shape = trace.kind, (*trace.shape, trace.time_steps)
    measured = {name: np.full(shape, np.nan) for name in ("factor", *_reading_names(kind))}
    for layer in range(shape[0]):
        for d in range(shape[1]):
            arrived: Tensor | None = None  # dL/ds at the last step of the previous pass
            for one, chain in zip(trace.having(d), chains_of(swept, layer, d, sequence, seeds[d]), strict=True):
                arrived = arrived if one.is_linked else None
                found = {name: values.numpy() for name, values in _measure(kind, chain, arrived).items()}
                _cut_off(found, chain.cell_trace.cut_steps)
                for name, values in found.items():
                    measured[name][layer, d, chain.positions] = values
                arrived = chain.memory[-1]
    _cut_off(measured, trace.cuts)
    factor, slope, weights = measured.pop("factor"), measured.pop("slope", None), measured.pop("weights", None)
    normalisations = {gain: measured.pop(gain) for gain in kind.structure.state_normalisations}
    return StepFactors(factor, slope, weights, measured, normalisations)


def _cut_off(measured: dict[str, np.ndarray], cut: list[int]) -> None:
    """Say that nothing goes back from these steps, (..., T): a factor of 0, which is made of nothing."""
    for name, values in measured.items():
        values[..., cut] = np.where(np.isnan(values[..., cut]), np.nan, 0.0 if name == "factor" else np.nan)


def _reading_names(kind: Cell) -> list[str]:
    """Names of the readings besides the factor."""
    paths = [KEPT, OTHERS] if kind.has_cell_state else ["slope", "weights"] if kind.is_plain else list(kind.paths)
    return [*paths, *kind.structure.state_normalisations]


def _measure(kind: Cell, chain: ChainGradients, arrived: Tensor | None) -> dict[str, Tensor]:
    """Measure one pass, {name: (n,)}. `arrived` is the gradient at the state before its first step, if there is one."""
    if kind.has_cell_state:
        measured = _cell_state_factors(chain, arrived)
    elif kind.is_plain:
        measured = _plain_factors(chain)
    else:
        measured = _gated_factors(chain)
    measured |= chain.steps.normalisations
    undefined = row_norms(chain.memory) < MIN_NORM
    undefined[0] |= arrived is None
    return {name: torch.where(undefined, torch.nan, values) for name, values in measured.items()}


def _plain_factors(chain: ChainGradients) -> dict[str, Tensor]:
    """Factor, slope and weights of a plain cell. The factor of a cell that is not recurrent is 0."""
    enters, total = row_norms(chain.grad_input_proj), row_norms(chain.total)
    paths = list(chain.steps.paths.values())
    arrives = row_norms(sum(paths[1:], paths[0])) if paths else torch.zeros_like(enters)
    return {"factor": arrives / total, "slope": enters / total, "weights": arrives / enters}


def _gated_factors(chain: ChainGradients) -> dict[str, Tensor]:
    """Shares of the kept state and of the other paths of an old state."""
    parts = chain.steps.paths
    whole = sum(parts.values(), torch.zeros_like(chain.total))
    factor = row_norms(whole) / row_norms(chain.total)
    return {"factor": factor, **{name: _share(part, whole) for name, part in parts.items()}}


def _cell_state_factors(chain: ChainGradients, arrived: Tensor | None) -> dict[str, Tensor]:
    """Shares of what is kept of dL/dc_t past all weights, and of the rest of dL/dc_{t-1}.

    The rest comes through h, gates and peepholes, and from the layer above.
    """
    assert chain.cell is not None
    kept = chain.steps.paths[KEPT]
    first = torch.zeros_like(chain.cell[0]) if arrived is None else arrived
    whole = torch.cat([first[None], chain.cell[:-1]])
    share = _share(kept, whole)
    return {"factor": row_norms(whole) / row_norms(chain.cell), KEPT: share, OTHERS: 1 - share}


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """<part, whole> / ||whole||^2, (n,)."""
    size = row_norms(whole)[:, None]
    return ((part / size) * (whole / size)).sum(-1)
