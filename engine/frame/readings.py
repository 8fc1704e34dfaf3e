"""The values that a frame is made of: frozen, NumPy, no torch.

Axes: layer, direction, then what is said at each. Time is the position in the sequence (an encoder's steps before its
decoder's); the step before t is t - 1, in the reverse direction t + 1. NaN stands where nothing is defined: padding,
the first step of a chain, a share of no gradient at all; 0 is exactly 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.frame.frozen import FrozenArrays

ON_DEMAND_READINGS = ("decomposition", "spectrum", "saliency")
"""Readings of a frame that are taken only when somebody asks for them: each costs more than all the rest."""


SATURATION_MARGIN = 0.05
"""A unit or gate this close to a limit of its squashing function counts as saturated."""


def saturation(values: np.ndarray, squash: str) -> np.ndarray:
    """The share of the units (last axis) that are saturated: whose squashing function has next to no slope there.

    tanh beyond +-0.95, where the slope is below 0.0975; sigmoid below 0.05 or above 0.95, slope below 0.0475; relu at
    0, slope 0; identity never. (..., units) -> (...).
    """
    size = np.abs(values)
    if squash == "tanh":
        return (size > 1 - SATURATION_MARGIN).mean(-1)
    if squash == "sigmoid":
        return (np.minimum(values, 1 - values) < SATURATION_MARGIN).mean(-1)
    return (values == 0).mean(-1) if squash == "relu" else np.zeros(values.shape[:-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientNorms(FrozenArrays):
    """How large the gradient is at every state: norms, and the ratio that the verdict reads.

    Args:
        grad_norm: (layers, directions, T) float64, median over the probe's sequences valid at t of ||d l_b/d h_t||_2,
            the total gradient. Unit: loss per unit of h.
        grad_norm_direct: the same for what enters the layer at t from above, not through time.
        grad_norm_last: the same for the last counted loss alone (in the reverse direction the first).
        grad_norm_cell: the same as grad_norm for c_t; None where there is no cell state.
        grad_norm_memory: the same as grad_norm_last for the state that carries memory: c where there is one, else h.
        sequence_grad_norm, sequence_grad_norm_direct, sequence_grad_norm_last, sequence_grad_norm_cell,
            sequence_grad_norm_memory: the same five of the drawn sequence alone, ||d l_0/d h_t||_2 being the first.
        ratio: (layers, directions) float64, median over the probe of ||d/ds at the first relevant step|| / ||d/ds where
            the last loss enters||, s the state that carries memory.
        output_grad_norm: median over the probe of ||d/ds|| where the last loss enters, the ratio's denominator.
        bottleneck_grad_norm: median over the probe of ||d l_b/d h|| at the encoder's last state, all layers together;
            None where there is no encoder.
    """

    grad_norm: np.ndarray
    grad_norm_direct: np.ndarray
    grad_norm_last: np.ndarray
    grad_norm_cell: np.ndarray | None
    grad_norm_memory: np.ndarray
    sequence_grad_norm: np.ndarray
    sequence_grad_norm_direct: np.ndarray
    sequence_grad_norm_last: np.ndarray
    sequence_grad_norm_cell: np.ndarray | None
    sequence_grad_norm_memory: np.ndarray
    ratio: np.ndarray
    output_grad_norm: float
    bottleneck_grad_norm: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Preactivations(FrozenArrays):
    """The terms whose sum goes through each gate's nonlinearity, of the drawn sequence in the top layer, forwards.

    G is the cell's number of blocks, gates in the order of its catalogue (one for a plain cell). A network has one
    pass, an encoder-decoder two, each with weights of its own. Padded steps are 0.

    Args:
        from_input: (T, G, units), W_ih x_t without its bias.
        from_state: (T, G, units), W_hh h_{t-1} without its bias; None where no step is linked to the one before.
        biases: (passes, 2, G, units), bias_ih and bias_hh; (passes, 1, G, units) where there is no link.
        peepholes: (passes, 3, units), p_i, p_f and p_o; None for a cell without.
    """

    from_input: np.ndarray
    from_state: np.ndarray | None
    biases: np.ndarray
    peepholes: np.ndarray | None


@dataclass(frozen=True, eq=False)
class StepFactors(FrozenArrays):
    """Who shrank it: what one step back in time does to the gradient of the last loss, of one sequence.

    (layers, directions, T) float64; at t what happens between t and the step before it. Of a plain cell:
    factor = weights * slope, "0.61 = 1.02 (weights) x 0.60 (slope)". A gated cell has several paths side by side, so
    that no product exists: `shares` says how much of what arrives came by each (they add up to 1, one may be negative).

    Args:
        factor: ||what arrives at the step before, through time|| / ||dL/ds_t||, s the state that carries memory: h, or
            c for an LSTM, where what enters from a layer above is counted in. Exactly 0 where truncation cuts.
        slope: ||phi' * dL/dh_t|| / ||dL/dh_t||; weights: ||W_hh^T (phi' * dL/dh_t)|| / ||phi' * dL/dh_t||. None for a
            gated cell.
        shares: {path: <part, whole> / ||whole||^2}: "kept" through the gate that keeps the old state, then the others;
            empty for a plain cell.
    """

    factor: np.ndarray
    slope: np.ndarray | None
    weights: np.ndarray | None
    shares: dict[str, np.ndarray]

    @property
    def omega(self) -> np.ndarray:
        """Pascanu's regulariser, sum over t of (factor - 1)^2: (layers, directions). Undefined steps do not count."""
        return np.nansum((self.factor - 1) ** 2, axis=-1)


@dataclass(frozen=True, eq=False)
class WeightGradients(FrozenArrays):
    """dL/dW by the time step that it comes from: W_hh learns at t from h_{t-1}, W_ih from x_t.

    The gradient of a weight is a sum over all steps at which it is used. (layers, directions, T) float64.

    Args:
        hh, ih: Frobenius norm of the term of step t, of dL/dweight_hh and dL/dweight_ih, biases left out. hh is 0 at
            the first step of a sequence, where h_{t-1} = 0, and None for a cell without links in time.
        hh_beyond, ih_beyond: (layers, directions, T), the share of dL/dW that comes from further back than k steps
            before the loss, k = 0 ... T - 1: <sum of those terms, whole> / ||whole||^2. Norms would not add up; shares
            do, and one may be negative or above 1 where terms cancel.
    """

    hh: np.ndarray | None
    ih: np.ndarray
    hh_beyond: np.ndarray | None
    ih_beyond: np.ndarray


@dataclass(frozen=True, eq=False)
class Decomposition(FrozenArrays):
    """Loss by loss: the gradient that each step's own loss sends to each state, of one sequence.

    L_k is the weighted loss term of step k, so that the vectors dL_k/dh_t add up to dL/dh_t. Their norms do not; the
    cosines say which of them pull together.

    Args:
        steps: (K,) the loss steps, positions on the time axis; the public function gives all T, a frame some.
        norms: (layers, directions, K, T) float64, ||dL_k/dh_t||; exactly 0 where no path leads from k to t.
        cosines: the same, the cosine between dL_k/dh_t and dL/dh_t; NaN where either is 0.
    """

    steps: np.ndarray
    norms: np.ndarray
    cosines: np.ndarray


@dataclass(frozen=True, eq=False)
class JacobianProducts(FrozenArrays):
    """How much of a change of the state survives, whatever the loss: Jacobians of one sequence, inputs held fixed.

    s is h, or (h, c) side by side for an LSTM; n its size. Truncation cuts gradients, not these. Of singular values,
    those below 1e-15 of the largest are rounding. NaN where a state is not finite.

    Args:
        lags: (K,) how many steps lie between: P_k = ds_last/ds_{last-k}, a product of k Jacobians.
        norm, spectral_radius: (layers, directions, K) of P_k; singular_values (layers, directions, K, n), falling.
            NaN where the sequence has no step that far before its last.
        step_norm, step_spectral_radius: (layers, directions, T) of ds_t/ds_before; step_singular_values adds (n,).
        lyapunov: (layers, directions, n) exponents over this one sequence in nats per step, falling: the mean
            logarithmic growth along n orthogonal directions. The first below 0: a change dies out; above: it grows.
            Minus infinity where a step takes a direction away for good.

    A frame has only the norms (computed in float32, good to 1e-4) and, as its one exponent, the growth of the longest
    product, ln ||P_k|| / k: the largest exponent over these k steps. All else is None there.
    """

    lags: np.ndarray
    norm: np.ndarray
    singular_values: np.ndarray | None
    spectral_radius: np.ndarray | None
    lyapunov: np.ndarray
    step_norm: np.ndarray | None = None
    step_singular_values: np.ndarray | None = None
    step_spectral_radius: np.ndarray | None = None

    def half_life(self, layer: int = -1, direction: int = 0) -> float:
        """Steps after which half of a change is left at the rate of the largest exponent; 0 if nothing is left after
        one, infinite if it does not die out, NaN if there is no exponent."""
        rate = float(self.lyapunov[layer, direction, 0])
        if math.isnan(rate):
            return math.nan
        return -math.log(2) / rate if rate < 0 else math.inf

    def one_percent(self, layer: int = -1, direction: int = 0) -> float:
        """The lag from which on the product's norm stays below 1 %, between the lags measured on a logarithmic line
        (at lag 0 the norm is 1); infinite if it does not within them, NaN if none was measured."""
        norms = self.norm[layer, direction]
        there = np.flatnonzero(np.isfinite(norms))
        if not len(there):
            return math.nan
        order = there[np.argsort(self.lags[there])]
        lags = [0.0, *map(float, self.lags[order])]
        sizes = [0.0, *(math.log(each) if each > 0 else -math.inf for each in norms[order])]
        last = max(at for at, size in enumerate(sizes) if size >= math.log(0.01))
        if last == len(lags) - 1:
            return math.inf
        if sizes[last + 1] == -math.inf:
            return lags[last + 1]
        down = (sizes[last] - math.log(0.01)) / (sizes[last] - sizes[last + 1])
        return lags[last] + down * (lags[last + 1] - lags[last])


@dataclass(frozen=True, eq=False)
class Spectrum(FrozenArrays):
    """The recurrent weights seen as a map, and what their products do to a change of the state.

    Args:
        eigenvalues: {gate: (layers, directions, H) complex} of each (H, H) block of weight_hh, by the names of the
            catalogue of cells; of an encoder-decoder the decoder's.
        largest_singular_value: {gate: (layers, directions)}: more than this no step can stretch by weights alone.
        products: at the lags that a frame shows, norms and largest exponent alone.
    """

    eigenvalues: dict[str, np.ndarray]
    largest_singular_value: dict[str, np.ndarray]
    products: JacobianProducts


@dataclass(frozen=True, eq=False)
class Saliency(FrozenArrays):
    """What an answer looks at: d s_t/d x_s for later answers t and earlier inputs s, of one sequence.

    s_t is the logit of the target class, or the sum of the output values, that the head gives at step t. The norm is
    over the units of what the first layer reads (a symbol's one-hot code or embedding, or the values). Slopes are cut
    where training cuts them, and so exactly 0 there; `occluded` is not.

    Args:
        steps: (K,) the answers' positions on the time axis, rising: steps with a loss; of a one-way network with a
            single loss every real step, what it would say if it were asked there.
        norms: (K, T) float64, ||d s_t/d x_s||; exactly 0 where the network cannot see.
        occluded: (T,) float64, how much s of the last of these answers changes when x_s is taken away (no symbol; the
            mean of the sequence's values): a saturated unit hides a dependence from every slope, not from this. A
            difference of two forward passes, so what is below 1e-7 of s is rounding. NaN at steps not tried.
    """

    steps: np.ndarray
    norms: np.ndarray
    occluded: np.ndarray
