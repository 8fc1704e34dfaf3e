"""The recurrent weights seen as a map, and what a frame shows of the products of Jacobians: bounded work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.cells.stepwise import weights_of
from engine.frame.readings import JacobianProducts, Spectrum
from engine.lens.forward_trace import ForwardTrace
from engine.lens.jacobians import Steps, chains_of_steps, shift_exponent
from engine.lens.sweep import SweepResult
from engine.model import RecurrentNetwork
from engine.tasks import TASKS

MAX_LAGS = 8
RESCALE_EVERY = 4  # steps between two rescalings of a product in float32
MAX_PRODUCT_COST, MAX_NORM_COST = 2**31, 2**29  # n^3 for each product of two Jacobians, and for each lag's norm
MAX_EIGENVALUE_COST = 2**29  # H^3 for each block of weights


@torch.no_grad()
def eigenvalues(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """{gate: (layers, directions, H) complex} of each (H, H) block of weight_hh, the largest modulus first.

    Of an encoder-decoder the decoder's. NaN where a weight is not finite; empty for a cell without links in time.
    """
    blocks = _blocks(model)
    fine = {name: torch.isfinite(each).all(-1).all(-1)[..., None] for name, each in blocks.items()}
    values = {name: torch.linalg.eigvals(block.nan_to_num(0.0, 0.0, 0.0)) for name, block in blocks.items()}
    order = {name: each.abs().argsort(-1, descending=True) for name, each in values.items()}
    values = {name: each.take_along_dim(order[name], -1) for name, each in values.items()}
    return {name: torch.where(fine[name], each, torch.nan).numpy() for name, each in values.items()}


@torch.no_grad()
def largest_singular_values(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """{gate: (layers, directions)} of the same blocks."""
    largest = {}
    for name, block in _blocks(model).items():
        fine = torch.isfinite(block).all(-1).all(-1)
        block = block.nan_to_num(0.0, 0.0, 0.0)
        square = torch.linalg.eigvalsh(block @ block.mT)[..., -1].clamp(min=0)
        largest[name] = torch.where(fine, square.sqrt(), torch.nan).numpy()
    return largest


def seeds(trace: ForwardTrace) -> None:
    """Of a frame: nothing, for a spectrum reads no loss."""


def read(trace: ForwardTrace, swept: SweepResult | None) -> Spectrum | None:
    """Of a frame; None for a cell without links in time."""
    return spectrum_of(trace) if CELLS[trace.model.experiment.cell].is_recurrent else None


def spectrum_of(drawn: ForwardTrace) -> Spectrum:
    """Of the trace of one sequence, of a cell with links in time; readings of states that are not finite are NaN.

    Lags are at most MAX_LAGS, spread evenly on a logarithmic line from 1 to the whole chain, and the task's own. A
    state of some hundreds of numbers has fewer, not back to the first step, and no eigenvalues where it has many blocks
    of weights. Of the products there are the norms, and the mean growth over the longest of them: `brief_products_of`.
    """
    model, e = drawn.model, drawn.model.experiment
    chains = chains_of_steps(drawn)
    links, size, count = len(chains[0][0]), chains[0][0].size, e.num_layers * e.directions
    products = brief_products_of(chains, frame_lags(links, size, TASKS[e.task].lag(e), count))
    return Spectrum(_eigenvalues_if_few(model), largest_singular_values(model), products)


@torch.no_grad()
def brief_products_of(chains: list[list[Steps]], lags: Sequence[int]) -> JacobianProducts:
    """The reading of a frame, in float32: norms good to 1e-4, and the mean growth over the longest lag alone.

    That growth, ln ||P_k|| / k, is the largest Lyapunov exponent over a finite time, of k steps, counted from the last.
    """
    shape = (len(chains), len(chains[0]))
    norms, growth = np.full((*shape, len(lags)), np.nan), np.full((*shape, 1), np.nan)
    for at in np.ndindex(*shape):
        measured = list(_brief_products(chains[at[0]][at[1]], set(lags)))
        if not measured:
            continue
        sizes = _norms(torch.stack([product for _, product, _ in measured]))
        for (k, _, exponent), size in zip(measured, sizes, strict=True):
            norms[at][np.asarray(lags) == k] = shift_exponent(size, exponent)
        with np.errstate(divide="ignore"):
            growth[at] = (np.log(sizes[-1]) + exponent * math.log(2)) / k
    return JacobianProducts(np.array(lags, int), norms, None, None, growth)


def _brief_products(chain: Steps, lags: set[int]) -> Iterator[tuple[int, Tensor, int]]:
    """As `_products`, in float32: of each Jacobian only the columns of h need a product of matrices."""
    product = torch.eye(chain.size)
    exponent, k, furthest = 0, 0, max((k for k in lags if k <= len(chain)), default=0)
    units = chain.passes[0].direct.shape[-1]
    for links, first in zip(reversed(chain.passes), reversed(chain.first), strict=True):
        columns, direct = links.hidden_columns(), links.direct.float()
        for step in range(len(columns) - 1, first - 1, -1):
            if (k := k + 1) > furthest:
                return
            parts = [product @ columns[step]]
            if len(direct) > 1:
                from_hidden, from_cell = direct[0, step, 1], direct[1, step, 1]
                parts.append(torch.addcmul(product[:, :units] * from_hidden, product[:, units:], from_cell))
            product = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
            if k in lags or k % RESCALE_EVERY == 0:
                _, binary = math.frexp(float(product.abs().max()))  # 0 for 0, and for what is not finite
                for part in (binary // 2, binary - binary // 2):  # 2.0**-149 has no inverse in float32
                    product = product * 2.0**-part
                exponent += binary
            if k in lags:
                yield k, product, exponent


def _norms(matrices: Tensor) -> np.ndarray:
    """(K,) float64, of matrices of size about 1: the largest singular value. NaN where a number is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    whole = torch.where(fine[:, None, None], matrices, 0.0)
    largest = torch.linalg.eigvalsh(whole @ whole.mT)[:, -1].double().clamp(min=0).sqrt()
    return torch.where(fine, largest, torch.nan).numpy()


def _eigenvalues_if_few(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """NaN in place of all eigenvalues where there are more than a frame has time for."""
    e, gates = model.experiment, CELLS[model.experiment.cell].gates
    if e.num_layers * e.directions * len(gates) * e.hidden_size**3 <= MAX_EIGENVALUE_COST:
        return eigenvalues(model)
    return {name: np.full((e.num_layers, e.directions, e.hidden_size), complex(np.nan, np.nan)) for name in gates}


def frame_lags(links: int, size: int, task_lag: int | None = None, chains: int = 1) -> list[int]:
    """The lags at which a frame takes the products of a chain of so many links, so that its work is bounded."""
    furthest = min(links, max(1, MAX_PRODUCT_COST // (chains * size**3)))
    if furthest < 1:
        return []
    count = min(MAX_LAGS, max(1, MAX_NORM_COST // (chains * size**3)))
    lags = {*np.geomspace(1, furthest, count).round().astype(int).tolist(), furthest} if count > 1 else {furthest}
    if task_lag is not None and 1 <= task_lag <= furthest and count == MAX_LAGS:
        lags.add(task_lag)
    return sorted(lags)


def _blocks(model: RecurrentNetwork) -> dict[str, Tensor]:
    """{gate: (layers, directions, H, H)} float64."""
    e, kind = model.experiment, CELLS[model.experiment.cell]
    if not kind.is_recurrent:
        return {}
    stack = model.stacks[-1]
    rows = [
        torch.stack([weights_of(stack, layer, d).recurrent for d in range(e.directions)])
        for layer in range(e.num_layers)
    ]
    blocks = torch.stack(rows).double().cpu().chunk(kind.blocks, dim=2)
    return dict(zip(kind.gates, blocks, strict=True))
