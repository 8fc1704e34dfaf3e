"""Eigenvalues and norms of the recurrent weights, and products of Jacobians at a bounded cost for frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS, Cell
from engine.frame.readings import JacobianProducts, Spectrum
from engine.layers.weights import Weights, weights_of
from engine.lens.forward_trace import ForwardTrace, LayersTrace
from engine.lens.jacobians import Steps, chains_of_steps, shift_exponent
from engine.lens.sweep import SweepResult
from engine.model import RecurrentNetwork
from engine.tasks import task_of

MAX_LAGS = 8
RESCALE_EVERY = 4  # steps between two rescalings of a product in float32
MAX_PRODUCT_COST, MAX_NORM_COST = 2**31, 2**29  # n^3 for each product of two Jacobians, and for each lag's norm
MAX_EIGENVALUE_COST = 2**29  # H^3 for each block of weights


@torch.no_grad()
def eigenvalues(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """Compute {gate: (layers, directions, H) complex} of each (H, H) block of weight_hh, the largest modulus first.

    In an encoder-decoder, the decoder's; backwards, which only its encoder can read, the encoder's. NaN if a weight is
    not finite; empty for a cell that is not recurrent.
    """
    return eigenvalues_of(_blocks(CELLS[model.experiment.cell], _weights_of_model(model)))


def eigenvalues_of(blocks: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Compute the same of blocks as `recurrent_blocks` gives them."""
    fine = {name: torch.isfinite(block).all(-1).all(-1)[..., None] for name, block in blocks.items()}
    values = {name: torch.linalg.eigvals(block.nan_to_num(0.0, 0.0, 0.0)) for name, block in blocks.items()}
    order = {name: value.abs().argsort(-1, descending=True) for name, value in values.items()}
    values = {name: value.take_along_dim(order[name], -1) for name, value in values.items()}
    return {name: torch.where(fine[name], value, torch.nan).numpy() for name, value in values.items()}


@torch.no_grad()
def largest_singular_values(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """Compute {gate: (layers, directions)} of the same blocks."""
    return largest_singular_values_of(_blocks(CELLS[model.experiment.cell], _weights_of_model(model)))


def largest_singular_values_of(blocks: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Compute the same of blocks as `recurrent_blocks` gives them. NaN if a weight is not finite."""
    largest = {}
    for name, block in blocks.items():
        fine = torch.isfinite(block).all(-1).all(-1)
        block = block.nan_to_num(0.0, 0.0, 0.0)
        square = torch.linalg.eigvalsh(block @ block.mT)[..., -1].clamp(min=0)
        largest[name] = torch.where(fine, square.sqrt(), torch.nan).numpy()
    return largest


def seeds(trace: ForwardTrace) -> None:
    """Return None: a spectrum depends on no loss, so it needs no sweep."""


def read(trace: ForwardTrace, swept: SweepResult | None) -> Spectrum | None:
    """Return a frame's spectrum; None for a cell that is not recurrent."""
    e = trace.model.experiment
    return spectrum_of(trace, task_of(e).lag(e)) if CELLS[e.cell].is_recurrent else None


@torch.no_grad()
def spectrum_of(drawn: LayersTrace, lag: int | None = None) -> Spectrum:
    """Compute the spectrum from the trace of one sequence of a recurrent cell. NaN where a state is not finite.

    There are at most MAX_LAGS lags, evenly spaced on a logarithmic scale from 1 to the length of the chain, and the
    task's own, `lag`. With a state of some hundreds of units there are fewer lags, which do not reach the first step,
    and eigenvalues are left out if there are many blocks. The products are those of `brief_products_of`.
    """
    chains, (layers, directions) = chains_of_steps(drawn), drawn.shape
    links, size = len(chains[0][0]), chains[0][0].size
    products = brief_products_of(chains, frame_lags(links, size, lag, layers * directions))
    blocks = recurrent_blocks(drawn)
    return Spectrum(_eigenvalues_if_few(blocks), largest_singular_values_of(blocks), products)


@torch.no_grad()
def brief_products_of(chains: list[list[Steps]], lags: Sequence[int]) -> JacobianProducts:
    """Compute what a frame shows of the products, in float32: norms (relative error 1e-4) and one exponent.

    The exponent is ln ||P_k|| / k at the longest lag k: the largest finite-time Lyapunov exponent of the last k steps.
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
    """As `engine.lens.jacobians._products`, in float32."""
    product = torch.eye(chain.size)
    exponent, k, furthest = 0, 0, max((k for k in lags if k <= len(chain)), default=0)
    for part, first in zip(reversed(chain.passes), reversed(chain.first), strict=True):
        for step in range(part.shape[1] - 1, first - 1, -1):
            if (k := k + 1) > furthest:
                return
            product = part.left_product(product, step)
            if k in lags or k % RESCALE_EVERY == 0:
                _, binary = math.frexp(float(product.abs().max()))  # 0 if the largest is 0 or not finite
                for half in (binary // 2, binary - binary // 2):  # 2.0**-149 has no inverse in float32
                    product = product * 2.0**-half
                exponent += binary
            if k in lags:
                yield k, product, exponent


def _norms(matrices: Tensor) -> np.ndarray:
    """Largest singular values, (K,) float64, of matrices of size about 1. NaN where a number is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    whole = torch.where(fine[:, None, None], matrices, 0.0)
    largest = torch.linalg.eigvalsh(whole @ whole.mT)[:, -1].double().clamp(min=0).sqrt()
    return torch.where(fine, largest, torch.nan).numpy()


def _eigenvalues_if_few(blocks: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Compute the eigenvalues, or return NaN for all of them if they would take too long for a frame."""
    units = sum(block[..., 0, 0].numel() * block.shape[-1] ** 3 for block in blocks.values())
    if units <= MAX_EIGENVALUE_COST:
        return eigenvalues_of(blocks)
    return {name: np.full(block.shape[:-1], complex(np.nan, np.nan)) for name, block in blocks.items()}


def frame_lags(links: int, size: int, task_lag: int | None = None, chains: int = 1) -> list[int]:
    """Choose the lags of a frame so that its cost is bounded.

    Args:
        links: Jacobians in a chain.
        size: n, the size of the state.
        task_lag: added if there is room for it.
        chains: layers times directions.
    """
    furthest = min(links, max(1, MAX_PRODUCT_COST // (chains * size**3)))
    if furthest < 1:
        return []
    count = min(MAX_LAGS, max(1, MAX_NORM_COST // (chains * size**3)))
    lags = {*np.geomspace(1, furthest, count).round().astype(int).tolist(), furthest} if count > 1 else {furthest}
    if task_lag is not None and 1 <= task_lag <= furthest and count == MAX_LAGS:
        lags.add(task_lag)
    return sorted(lags)


def _weights_of_model(model: RecurrentNetwork) -> list[list[Weights]]:
    """By [layer][direction]; in an encoder-decoder, the decoder's, backwards the encoder's."""
    e, backwards = model.experiment, model.stacks[0]
    stacks = [model.stacks[-1], backwards][: e.directions]
    return [[weights_of(stack, layer, d) for d, stack in enumerate(stacks)] for layer in range(e.num_layers)]


def recurrent_blocks(drawn: LayersTrace) -> dict[str, Tensor]:
    """The recurrent weights of each direction's last pass by gate, (layers, directions, H, units of h) float64 each."""
    return _blocks(drawn.kind, drawn.weights)


def _blocks(kind: Cell, rows: list[list[Weights]]) -> dict[str, Tensor]:
    """The recurrent weights by gate, (layers, directions, H, H) float64 each; none for a cell without such weights.

    A vector that takes the place of weight_hh is a diagonal matrix.
    """
    vectors = [vector.name for vector in kind.vectors if vector.is_recurrent]
    if not (kind.state_blocks or vectors):
        return {}
    whole = torch.stack([torch.stack([_recurrent(weights, vectors) for weights in row]) for row in rows])
    return dict(zip(kind.gates, whole.double().cpu().chunk(kind.blocks, dim=2), strict=True))


def _recurrent(weights: Weights, vectors: list[str]) -> Tensor:
    """weight_hh, or the diagonal matrices of these vectors: (G*H, H)."""
    return torch.cat([weights.vectors[name].diag() for name in vectors]) if vectors else weights.recurrent
