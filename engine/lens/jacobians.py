"""What every step does to a change of the state: Jacobians ds_t/ds_before, their products, their exponents.

s is h, or (h, c) side by side where there is a cell state; the inputs are held fixed. Nothing is trained and no loss is
read. Everything is float64; a product has a power of two beside it, so that 1e-400 does not become 0 on the way.
Source: products and conditions, Pascanu, Mikolov and Bengio (2013), section 2; exponents by QR, Benettin et al. (1980),
of trained networks Vogt et al. (2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS, Cell
from engine.cells.adjoint import CellTrace
from engine.frame.readings import JacobianProducts
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.model import RecurrentNetwork
from engine.tasks import Batch

LAGS = (1, 2, 5, 10, 20, 50, 100)
MAX_ELEMENTS = 2**23  # numbers in the Jacobians that are held at once: 64 MiB
RESCALE_BEYOND, MAX_SHIFT = 256, 1000  # powers of two: a product beyond the first is rescaled, by the second at most


@dataclass(frozen=True, eq=False)
class Links:
    """The links from step to step of one pass, factored: units meet only in the product with weight_hh.

    Args:
        blocks: (G, H, H), weight_hh; G is 0 for a cell without links.
        through: (P, T, G, H), slope of each part of the state (h, then c) with respect to W_hh h_{t-1} + b_hh.
        direct: (P, T, P, H), slope of each part with respect to each part before, unit by unit, past weight_hh.
    """

    blocks: Tensor
    through: Tensor
    direct: Tensor

    def dense(self, start: int, stop: int) -> Tensor:
        """(stop - start, n, n): row i, column j is d s_t[i] / d s_before[j]."""
        parts, units = len(self.through), self.direct.shape[-1]
        whole = self.direct.new_zeros(stop - start, parts, units, parts, units)
        for part in range(parts):
            slopes = self.through[part, start:stop].permute(2, 0, 1)  # (H, T, G)
            whole[:, part, :, 0] = torch.bmm(slopes, self.blocks.transpose(0, 1)).transpose(0, 1)
            for before in range(parts):
                whole[:, part, :, before].diagonal(dim1=1, dim2=2).add_(self.direct[part, start:stop, before])
        return whole.view(stop - start, parts * units, parts * units)

    def hidden_columns(self) -> Tensor:
        """(T, n, H) float32: of every Jacobian the columns of h, the only ones that are not diagonal."""
        parts, steps, _, units = self.through.shape
        slopes = self.through.float().permute(3, 1, 0, 2).flatten(1, 2)  # (H, T * P, G)
        columns = self.through.new_empty(steps, parts, units, units, dtype=torch.float32)
        torch.bmm(slopes, self.blocks.float().transpose(0, 1), out=columns.permute(2, 0, 1, 3).flatten(1, 2))
        columns.diagonal(dim1=2, dim2=3).add_(self.direct[:, :, 0].transpose(0, 1))
        return columns.flatten(1, 2)

    def matmul(self, step: int, frame: Tensor) -> Tensor:
        """One Jacobian times some columns, (n, m) to (n, m), without writing the Jacobian down."""
        before = frame.unflatten(0, (-1, self.direct.shape[-1]))  # (P, H, m)
        arguments = torch.matmul(self.blocks, before[0])  # (G, H, m)
        after = (self.through[:, step, :, :, None] * arguments).sum(1)
        return (after + (self.direct[:, step, :, :, None] * before).sum(1)).flatten(0, 1)


@dataclass(frozen=True, eq=False)
class Steps:
    """All links of one layer in one direction of one sequence, in its own time order: an encoder's, then a decoder's.

    positions: (real steps,), where they stand on the time axis. size: n, of the state. Step 0 has none before it, so
    that there are real steps - 1 Jacobians; link k leads from step k to step k + 1.
    """

    passes: list[Links]
    positions: np.ndarray

    @property
    def size(self) -> int:
        """n, the numbers in the state."""
        return len(self.passes[0].through) * self.passes[0].direct.shape[-1]

    @property
    def finite(self) -> bool:
        """Every slope and weight is a number."""
        parts = [part for links in self.passes for part in (links.blocks, links.through, links.direct)]
        return all(bool(torch.isfinite(part).all()) for part in parts)

    def __len__(self) -> int:
        return len(self.positions) - 1

    @property
    def first(self) -> list[int]:
        """For each pass its first step that has one before it."""
        before = np.cumsum([0, *(links.direct.shape[1] for links in self.passes[:-1])])
        return [max(0, 1 - int(steps)) for steps in before]

    def forwards(self) -> Iterator[Tensor]:
        """Jacobians (some, n, n) of the links from the first to the last, as many as fit into memory at once."""
        chunk = max(1, MAX_ELEMENTS // self.size**2)
        for links, first in zip(self.passes, self.first, strict=True):
            steps = links.direct.shape[1]
            for start in range(first, steps, chunk):
                yield links.dense(start, min(start + chunk, steps))

    def backwards(self) -> Iterator[Tensor]:
        """Jacobians (n, n), one by one, from the last link to the first."""
        chunk = max(1, MAX_ELEMENTS // self.size**2)
        for links, first in zip(reversed(self.passes), reversed(self.first), strict=True):
            for stop in range(links.direct.shape[1], first, -chunk):
                yield from links.dense(max(first, stop - chunk), stop).flip(0).unbind()


def chains_of_steps(trace: ForwardTrace, sequence: int = 0) -> list[list[Steps]]:
    """[layer][direction] of one sequence."""
    e = trace.model.experiment
    return [[_steps(trace, layer, d, sequence) for d in range(e.directions)] for layer in range(e.num_layers)]


@torch.no_grad()
def _steps(trace: ForwardTrace, layer: int, direction: int, sequence: int) -> Steps:
    """The links of one chain."""
    kind, passes, positions, start = CELLS[trace.model.experiment.cell], [], [], 0
    for one in trace.passes:
        real = int(one.lengths[sequence])
        passes.append(_links(one.cell_traces[layer][direction], kind, real, sequence))
        where = start + np.arange(real)
        positions.append(where[::-1] if direction else where)
        start += len(one.output)
    return Steps(passes, np.concatenate(positions))


def _links(cell_trace: CellTrace, kind: Cell, real: int, sequence: int) -> Links:
    """From a cell's own adjoint of a single step: all steps beside each other, as a batch of one-step sequences.

    The seed is 1 in every unit of one part of the state: as units meet only in the product with weight_hh, what comes
    out at a unit's arguments is that unit's slope alone.
    """
    beside = cell_trace.single_sequence(sequence, real).map_tensors(lambda values: values.transpose(0, 1))
    units, parts = beside.hidden.shape[-1], 1 + kind.has_cell_state
    seeds = torch.eye(parts, dtype=torch.float64)[..., None, None].expand(-1, -1, real, units)  # (P, seed, T, H)
    total = torch.zeros(1, parts * real, units, dtype=torch.float64)
    grad_input_proj = total.new_zeros(1, parts * real, len(beside.weights.ih))
    cell = torch.zeros_like(total) if kind.has_cell_state else None
    grad_carry = beside.backward_sweep(0, 1, total, cell, grad_input_proj, tuple(seeds.flatten(1, 2).unbind()))
    direct = total.new_zeros(parts, real, parts, units)
    if kind.has_cell_state:
        direct[:, :, 1] = grad_carry[1].unflatten(0, (parts, real))
    elif kind.retain_gate:
        direct[0, :, 0] = beside.gates[kind.retain_gate][0]
    if beside.weights.hh is None:
        return Links(total.new_zeros(0, units, units), total.new_zeros(parts, real, 0, units), direct)
    through = beside.grad_state_proj(grad_input_proj.unflatten(1, (parts, real)))[0].unflatten(-1, (kind.blocks, units))
    return Links(beside.weights.hh.unflatten(0, (kind.blocks, units)), through, direct)


def step_jacobians(trace: ForwardTrace, sequence: int = 0) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """[layer][direction]: (positions (m,), Jacobians (m, n, n)) of the m links of one sequence, in the direction's own
    time order; the Jacobian at position t is ds_t/ds_before. The first step has none.

    All are held at once: 8 m n^2 bytes for each layer and direction.
    """
    return [[(chain.positions[1:], _all_jacobians(chain)) for chain in row] for row in chains_of_steps(trace, sequence)]


def _all_jacobians(chain: Steps) -> np.ndarray:
    """(m, n, n)."""
    empty = np.zeros((0, chain.size, chain.size))
    return np.concatenate([empty, *(jacobians.numpy() for jacobians in chain.forwards())])


def jacobian_products(
    model: RecurrentNetwork, batch: Batch, sequence: int = 0, lags: Sequence[int] = LAGS
) -> JacobianProducts:
    """Jacobians of one sequence's real steps, their products back from its last step, and all Lyapunov exponents.

    In evaluation mode, calling model(batch) once; the work grows with T n^3. Exponents start from the identity, without
    steps left out to settle, so that they are of this sequence.
    """
    chains = chains_of_steps(trace_forward(model, batch), sequence)
    return products_of(chains, lags, len(batch.valid))


@torch.no_grad()
def products_of(chains: list[list[Steps]], lags: Sequence[int], time_steps: int) -> JacobianProducts:
    """The whole reading, from all chains over T = time_steps."""
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
            parts = [torch.cat([_singular_values(some), _radius(some)[:, None]], -1) for some in chain.forwards()]
            single[at][chain.positions[1:]] = torch.cat(parts).numpy()
    products = (np.array(lags, int), singular[..., 0].copy(), singular, rho, lyapunov)
    return JacobianProducts(*products, single[..., 0].copy(), single[..., :-1].copy(), single[..., -1].copy())


def _products(chain: Steps, lags: set[int]) -> Iterator[tuple[int, Tensor, int]]:
    """(k, product of the last k Jacobians * 2**-exponent, exponent) at each of the lags that the chain has, rising."""
    product: Tensor | None = None
    exponent, furthest = 0, max((k for k in lags if k <= len(chain)), default=0)
    for k, step in enumerate(chain.backwards(), 1):
        if k > furthest:
            break
        product = step if product is None else product @ step
        _, binary = math.frexp(float(product.abs().max()))  # 0 for 0, and for what is not finite
        if abs(binary) > RESCALE_BEYOND:
            binary = max(-MAX_SHIFT, min(binary, MAX_SHIFT))
            product, exponent = product * 2.0**-binary, exponent + binary
        if k in lags:
            yield k, product, exponent


def lyapunov_exponents(chain: Steps) -> np.ndarray:
    """(n,), falling, nats per step: mean of ln R_ii over J_t Q_{t-1} = Q_t R_t, diagonal positive.

    A diagonal entry no larger than rounding beside the longest column is 0, so the exponent is minus infinity: a
    direction that a step takes away for good. NaN where there is no link, or a number is not finite.
    """
    size = chain.size
    if not len(chain) or not chain.finite:
        return np.full(size, np.nan)
    frame, growth, columns = torch.eye(size, dtype=torch.float64), [], []
    for links, first in zip(chain.passes, chain.first, strict=True):
        for step in range(first, links.direct.shape[1]):
            frame, upper = torch.linalg.qr(links.matmul(step, frame))
            growth.append(upper.diagonal().abs())  # a column of Q with the other sign spans the same line
            columns.append(upper.norm(dim=0).max())
    grown = torch.stack(growth)
    rounding = size * torch.finfo(torch.float64).eps * torch.stack(columns)[:, None]
    grown = torch.where(grown <= rounding, 0.0, grown)
    return grown.log().mean(0).sort(descending=True).values.numpy()


def _singular_values(matrices: Tensor) -> Tensor:
    """(..., n), falling; NaN for a matrix in which a number is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    if bool(fine.all()):
        return torch.linalg.svdvals(matrices)
    return torch.where(
        fine[..., None], torch.linalg.svdvals(torch.where(fine[..., None, None], matrices, 0.0)), torch.nan
    )


def _radius(matrices: Tensor) -> Tensor:
    """(...), the largest modulus of an eigenvalue; NaN for a matrix in which a number is not finite."""
    fine = torch.isfinite(matrices).all(-1).all(-1)
    radius = torch.linalg.eigvals(torch.where(fine[..., None, None], matrices, 0.0)).abs().amax(-1)
    return torch.where(fine, radius, torch.nan)


def shift_exponent(values: np.ndarray, exponent: int) -> np.ndarray:
    """values * 2**exponent. What is too small or too large even for float64 is its smallest or largest number, never 0
    or infinite."""
    with np.errstate(over="ignore", under="ignore"):
        shifted = np.ldexp(values, exponent)
    shifted = np.where((values > 0) & (shifted == 0), np.finfo(float).tiny, shifted)
    return np.where(np.isfinite(values) & np.isinf(shifted), np.finfo(float).max, shifted)
