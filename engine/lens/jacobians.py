"""Jacobians ds_t/ds_before of every step, their products, and Lyapunov exponents.

s is h, or h and c concatenated if there is a cell state; inputs are held fixed and no loss is involved. Everything is
float64; a product is stored with a separate power of two, so that 1e-400 does not become 0 on the way.
Sources: products, Pascanu, Mikolov and Bengio (2013), section 2; exponents by QR decomposition, Benettin et al. (1980);
exponents of trained networks, Vogt et al. (2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.frame.readings import JacobianProducts
from engine.lens.forward_trace import ForwardTrace, LayersTrace, trace_forward
from engine.lens.jacobian_forms import StepJacobians, jacobians_of_pass
from engine.model import RecurrentNetwork
from engine.tasks import Batch

LAGS = (1, 2, 5, 10, 20, 50, 100)
MAX_ELEMENTS = 2**23  # of the Jacobians in memory at once: 64 MiB
RESCALE_BEYOND, MAX_SHIFT = 256, 1000  # exponents of 2: a product beyond the first is rescaled, by at most the second


@dataclass(frozen=True, eq=False)
class Steps:
    """The Jacobians of one chain (one layer, direction and sequence) in its own time order, encoder before decoder.

    A decoder that has no such direction is no part of it. `positions` (m + 1,) are its real steps on the time axis. The
    first step has none before it, so there are m Jacobians; number k leads from step k to step k + 1.
    """

    passes: list[StepJacobians]
    positions: np.ndarray

    @property
    def size(self) -> int:
        """n, the size of the state."""
        parts, _, units = self.passes[0].shape
        return parts * units

    @property
    def finite(self) -> bool:
        """True if all derivatives and weights are finite."""
        return all(part.finite for part in self.passes)

    def __len__(self) -> int:
        return len(self.positions) - 1

    @property
    def first(self) -> list[int]:
        """For each pass, its first step with a step before it."""
        before = np.cumsum([0, *(part.shape[1] for part in self.passes[:-1])])
        return [max(0, 1 - int(steps)) for steps in before]

    def forwards(self) -> Iterator[Tensor]:
        """Yield the Jacobians from the first to the last, in chunks (m, n, n) that fit into memory."""
        chunk = max(1, MAX_ELEMENTS // self.size**2)
        for links, first in zip(self.passes, self.first, strict=True):
            steps = links.shape[1]
            for start in range(first, steps, chunk):
                yield links.dense(start, min(start + chunk, steps))

    def backwards(self) -> Iterator[Tensor]:
        """Yield the Jacobians (n, n) one by one, from the last to the first."""
        chunk = max(1, MAX_ELEMENTS // self.size**2)
        for links, first in zip(reversed(self.passes), reversed(self.first), strict=True):
            for stop in range(links.shape[1], first, -chunk):
                yield from links.dense(max(first, stop - chunk), stop).flip(0).unbind()


def chains_of_steps(trace: LayersTrace, sequence: int = 0) -> list[list[Steps]]:
    """The chains of one sequence, [layer][direction]."""
    layers, directions = trace.shape
    return [[_steps(trace, layer, d, sequence) for d in range(directions)] for layer in range(layers)]


@torch.no_grad()
def _steps(trace: LayersTrace, layer: int, direction: int, sequence: int) -> Steps:
    """The Jacobians of one chain."""
    kind, passes, positions, start = trace.kind, [], [], 0
    for one in trace.having(direction):
        real = int(one.lengths[sequence])
        passes.append(jacobians_of_pass(one.cell_traces[layer][direction], kind, real, sequence))
        where = start + np.arange(real)
        positions.append(where[::-1] if direction else where)
        start += len(one.output)
    return Steps(passes, np.concatenate(positions))


def step_jacobians(trace: ForwardTrace, sequence: int = 0) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """Return all Jacobians of one sequence, [layer][direction]: (positions (m,), Jacobians (m, n, n)).

    They are in the direction's own time order; the one at position t is ds_t/ds_before. The first step has none. Takes
    8 m n^2 bytes of memory for each layer and direction.
    """
    return [[(chain.positions[1:], _all_jacobians(chain)) for chain in row] for row in chains_of_steps(trace, sequence)]


def _all_jacobians(chain: Steps) -> np.ndarray:
    """All Jacobians of a chain, (m, n, n)."""
    empty = np.zeros((0, chain.size, chain.size))
    return np.concatenate([empty, *(jacobians.numpy() for jacobians in chain.forwards())])


def jacobian_products(
    model: RecurrentNetwork, batch: Batch, sequence: int = 0, lags: Sequence[int] = LAGS
) -> JacobianProducts:
    """Analyse the Jacobians of one sequence: each step's, their products back from the last step, Lyapunov exponents.

    Calls model(batch) once, in evaluation mode. The cost grows with T n^3. The exponents start from the identity and
    skip no steps, so they describe exactly this sequence.
    """
    chains = chains_of_steps(trace_forward(model, batch), sequence)
    return products_of(chains, lags, len(batch.valid))


@torch.no_grad()
def products_of(chains: list[list[Steps]], lags: Sequence[int], time_steps: int) -> JacobianProducts:
    """Compute the complete reading from all chains; T is `time_steps`."""
    size = chains[0][0].size
    shape = (len(chains), len(chains[0]))
    singular = np.full((*shape, len(lags), size), np.nan)
    rho, lyapunov = np.full(singular.shape[:-1], np.nan), np.full((*shape, size), np.nan)
    single = np.full((*shape, time_steps, size + 1), np.nan)
    for at in np.ndindex(*shape):
        chain = chains[at[0]][at[1]]
        for k, product, exponent in _products(chain, set(lags)):
            scaled = [
                shift_exponent(values.numpy(), exponent) for values in (_singular_values(product), _radius(product))
            ]
            for place in np.flatnonzero(np.asarray(lags) == k):
                singular[at][place], rho[at][place] = scaled
        lyapunov[at] = lyapunov_exponents(chain)
        if len(chain):
            parts = [torch.cat([_singular_values(chunk), _radius(chunk)[:, None]], -1) for chunk in chain.forwards()]
            single[at][chain.positions[1:]] = torch.cat(parts).numpy()
    products = (np.array(lags, int), singular[..., 0].copy(), singular, rho, lyapunov)
    return JacobianProducts(*products, single[..., 0].copy(), single[..., :-1].copy(), single[..., -1].copy())


def _products(chain: Steps, lags: set[int]) -> Iterator[tuple[int, Tensor, int]]:
    """Yield (k, product of the last k Jacobians * 2**-exponent, exponent) for each lag k of the chain, ascending."""
    product: Tensor | None = None
    exponent, furthest = 0, max((k for k in lags if k <= len(chain)), default=0)
    for k, step in enumerate(chain.backwards(), 1):
        if k > furthest:
            break
        product = step if product is None else product @ step
        _, binary = math.frexp(float(product.abs().max()))  # 0 if the largest is 0 or not finite
        if abs(binary) > RESCALE_BEYOND:
            binary = max(-MAX_SHIFT, min(binary, MAX_SHIFT))
            product, exponent = product * 2.0**-binary, exponent + binary
        if k in lags:
            yield k, product, exponent


def lyapunov_exponents(chain: Steps) -> np.ndarray:
    """Lyapunov exponents (n,), descending, in nats per step: the mean of ln |R_ii| over J_t Q_{t-1} = Q_t R_t.

    A diagonal entry that is only rounding error beside the longest column counts as 0: that step erases a direction and
    the exponent is minus infinity. NaN if there is no Jacobian or a number is not finite.
    """
    size = chain.size
    if not len(chain) or not chain.finite:
        return np.full(size, np.nan)
    frame, growth, columns = torch.eye(size, dtype=torch.float64), [], []
    for links, first in zip(chain.passes, chain.first, strict=True):
        for step in range(first, links.shape[1]):
            frame, upper = torch.linalg.qr(links.matmul(step, frame))
            growth.append(upper.diagonal().abs())  # the sign of a column of Q is arbitrary
            columns.append(upper.norm(dim=0).max())
    grown = torch.stack(growth)
    rounding = size * torch.finfo(torch.float64).eps * torch.stack(columns)[:, None]
    grown = torch.where(grown <= rounding, 0.0, grown)
    return grown.log().mean(0).sort(descending=True).values.numpy()


def _singular_values(matrices: Tensor) -> Tensor:
    """Singular values (..., n), descending; NaN for a matrix with a number that is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    if bool(fine.all()):
        return torch.linalg.svdvals(matrices)
    return torch.where(
        fine[..., None], torch.linalg.svdvals(torch.where(fine[..., None, None], matrices, 0.0)), torch.nan
    )


def _radius(matrices: Tensor) -> Tensor:
    """Spectral radius (...); NaN for a matrix with a number that is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    radius = torch.linalg.eigvals(torch.where(fine[..., None, None], matrices, 0.0)).abs().amax(-1)
    return torch.where(fine, radius, torch.nan)


def shift_exponent(values: np.ndarray, exponent: int) -> np.ndarray:
    """values * 2**exponent, limited to the smallest and the largest float64 instead of becoming 0 or infinite."""
    with np.errstate(over="ignore", under="ignore"):
        shifted = np.ldexp(values, exponent)
    shifted = np.where((values > 0) & (shifted == 0), np.finfo(float).tiny, shifted)
    return np.where(np.isfinite(values) & np.isinf(shifted), np.finfo(float).max, shifted)
