"""The values that a frame is made of: frozen, NumPy, no torch.

Axes: layer, direction, then the others. T is the position in the sequence (an encoder's steps before its decoder's).
"The step before t" is t - 1, in the reverse direction t + 1. NaN means undefined: padding, the first step of a chain, a
share of a gradient that is 0. A value of 0 is exactly 0, not an underflow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from engine.frame.frozen import FrozenArrays

ON_DEMAND_READINGS = ("decomposition", "spectrum", "saliency", "tags")
"""Readings without an argument that a frame has only on request: each costs more than the rest of the frame. Those with
one are in `engine.frame.reading_request`."""


SATURATION_MARGIN = 0.05
"""A unit or gate this close to a limit of its activation function counts as saturated."""


def saturation(values: np.ndarray, squash: str) -> np.ndarray:
    """Return the share of units that are saturated: their activation function has a slope of almost 0 there.

    tanh beyond +-0.95, where the slope is below 0.0975; sigmoid below 0.05 or above 0.95, slope below 0.0475; relu at
    0, slope 0; identity never.

    Args:
        values: (..., units), after the activation function.
        squash: its name.

    Returns:
        (...), 0 to 1.
    """
    size = np.abs(values)
    if squash == "tanh":
        return (size > 1 - SATURATION_MARGIN).mean(-1)
    if squash == "sigmoid":
        return (np.minimum(values, 1 - values) < SATURATION_MARGIN).mean(-1)
    return (values == 0).mean(-1) if squash == "relu" else np.zeros(values.shape[:-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientNorms(FrozenArrays):
    """Norms of the gradient at every state, and the ratio on which the verdict is based.

    Args:
        grad_norm: (layers, directions, T) float64, median over the probe's sequences valid at t of ||d l_b/d h_t||_2,
            the total gradient. Unit: loss per unit of h.
        grad_norm_direct: the same for what enters the layer at t from above, not through time.
        grad_norm_last: the same for the last counted loss alone (in the reverse direction the first).
        grad_norm_cell: the same as grad_norm for c_t; None without a cell state.
        grad_norm_memory: the same as grad_norm_last for the state that carries memory: c if there is one, else h.
        sequence_grad_norm, sequence_grad_norm_direct, sequence_grad_norm_last, sequence_grad_norm_cell,
            sequence_grad_norm_memory: the same five for the drawn sequence alone; the first is ||d l_0/d h_t||_2.
        relative: (layers, directions, T) float64, median over the probe of ||d/ds_t|| / ||d/ds where the last loss
            enters||, s the state that carries memory, each chain within itself; 1 where the loss enters. relative_low,
            relative_high: the quartiles. None in recordings made before there were these.
        ratio: (layers, directions) float64, the same at the first relevant step of each sequence.
        output_grad_norm: median over the probe of ||d/ds|| where the last loss enters, the ratio's denominator.
        bottleneck_grad_norm: median over the probe of ||d l_b/d h|| at the encoder's last state, all layers together;
            with attention, of what came through the state alone. None without an encoder.
        cut_grad_norm: ||d(last loss of l_0)/d(the state carried into the last chunk)||_2 of the drawn sequence, all
            layers, h and c together: what is thrown away where the gradient is cut. None where no state is carried on
            from one update to the next.
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
    relative: np.ndarray | None = None
    relative_low: np.ndarray | None = None
    relative_high: np.ndarray | None = None
    cut_grad_norm: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class FollowedLoss(FrozenArrays):
    """The gradient of one step's loss relative to where that loss enters, as `GradientNorms.relative` is for the last.

    In the reverse direction it is the same loss, which enters there at its own step, too; in a network with one answer
    at position 0, where that direction ends.

    Args:
        step: position of the loss on the time axis.
        relative: (layers, directions, T) float64, the median over the probe's sequences that have a loss at this step
            and are real at t; exactly 0 where no path leads from the loss to t, or no sequence is real. relative_low,
            relative_high: the quartiles.
        path_norms, path_shares: {path: (layers, directions, S)}, by which paths it comes to the S states of an encoder,
            as `AttentionReading.last_norms` and `last_shares` have them; empty without attention.
    """

    step: int
    relative: np.ndarray
    relative_low: np.ndarray
    relative_high: np.ndarray
    path_norms: dict[str, np.ndarray] = field(default_factory=dict)
    path_shares: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Preactivations(FrozenArrays):
    """The terms of each gate's preactivation, of the drawn sequence: in a frame those of the top layer, forwards.

    G is the number of the cell's gates, in the order of `Cell.gates` (1 for a plain cell). A network has one pass, an
    encoder-decoder two with different weights. Padded steps are 0.

    Args:
        from_input: (T, G, units), W_ih x_t without its bias.
        from_state: (T, G, units), W_hh times what the gate's product reads, the state of the step before or something
            made of it, without its bias; None for a cell without weight_hh.
        biases: (passes, 2, G, units), bias_ih and bias_hh; (passes, 1, G, units) for a cell without weight_hh,
            (passes, 0, G, units) for one without biases.
        vectors: {parameter name: (passes, symbols, units)}, as `Cell.vectors` has them, for example the peepholes;
            empty for a cell without any.
    """

    from_input: np.ndarray
    from_state: np.ndarray | None
    biases: np.ndarray
    vectors: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def peepholes(self) -> np.ndarray | None:
        """(passes, 3, units), p_i, p_f and p_o; None for a cell without peepholes. Recordings had this column once."""
        return self.vectors.get("weight_ch")


@dataclass(frozen=True, eq=False, kw_only=True)
class ChainTerms(Preactivations):
    """The same of any layer and direction. By position on the time axis, also in the reverse direction.

    Args:
        layer, direction: which; both from 0.
    """

    layer: int
    direction: int


@dataclass(frozen=True, eq=False)
class StepFactors(FrozenArrays):
    """By what factor each step back in time changes the gradient of the last loss, and why, for one sequence.

    All arrays are (layers, directions, T) float64; the value at t is for the step from t to the step before it. In a
    plain cell factor = weights * slope, for example 0.61 = 1.02 * 0.60. In a gated cell the gradient takes several
    paths in parallel, so there is no such product: `shares` says how much of the sum came by each path. Shares add up
    to 1 and may be negative.

    Args:
        factor: ||gradient that arrives at the step before, through time|| / ||dL/ds_t||. s is the state that carries
            memory: h, or c for an LSTM; for c, what enters from the layer above is included. Exactly 0 where
            truncation cuts.
        slope: ||phi' * dL/dh_t|| / ||dL/dh_t||; weights: ||W_hh^T (phi' * dL/dh_t)|| / ||phi' * dL/dh_t||. None for a
            gated cell.
        shares: {path: <part, whole> / ||whole||^2}. "kept" is the path through the gate that retains the old state.
            Empty for a plain cell.
        normalisations: {name of the gain: ||gradient before|| / ||gradient after||} of each layer normalisation that
            old states go through: not a share, but by what it multiplies. Empty without layer normalisation.
    """

    factor: np.ndarray
    slope: np.ndarray | None
    weights: np.ndarray | None
    shares: dict[str, np.ndarray]
    normalisations: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def omega(self) -> np.ndarray:
        """Pascanu's regulariser, sum over t of (factor - 1)^2: (layers, directions). Undefined steps do not count."""
        return np.nansum((self.factor - 1) ** 2, axis=-1)


@dataclass(frozen=True, eq=False)
class WeightGradients(FrozenArrays):
    """Which time steps dL/dW comes from: the gradient of a weight is a sum over all steps at which it is used.

    All arrays are (layers, directions, T) float64. The term of step t is an outer product with h_{t-1} for W_hh, with
    x_t for W_ih.

    Args:
        hh, ih: Frobenius norm of the term of step t, for weight_hh and weight_ih, without biases. hh is 0 at the first
            step of a sequence, where h_{t-1} = 0, and None for a cell that is not recurrent.
        hh_beyond, ih_beyond: the share of dL/dW from more than k steps before the loss, k = 0 ... T - 1 along the last
            axis: <sum of those terms, whole> / ||whole||^2. Shares, because norms do not add up; a share can be
            negative or above 1 if terms cancel.
    """

    hh: np.ndarray | None
    ih: np.ndarray
    hh_beyond: np.ndarray | None
    ih_beyond: np.ndarray


@dataclass(frozen=True, eq=False)
class Decomposition(FrozenArrays):
    """The gradient that each step's own loss sends to each state, for one sequence.

    L_k is the weighted loss of step k, so the vectors dL_k/dh_t add up to dL/dh_t. Their norms do not add up; the
    cosines say which of the vectors point the same way.

    Args:
        steps: (K,) positions of the losses on the time axis: all T from `loss_decomposition`, some of them in a frame.
        norms: (layers, directions, K, T) float64, ||dL_k/dh_t||; exactly 0 where no path leads from k to t.
        cosines: (layers, directions, K, T), between dL_k/dh_t and dL/dh_t; NaN where either is 0.
        path_norms, path_shares: {path: (layers, directions, K, S)}, by which paths L_k comes to the S states of an
            encoder, as in `engine.frame.attention`; empty without attention.
    """

    steps: np.ndarray
    norms: np.ndarray
    cosines: np.ndarray
    path_norms: dict[str, np.ndarray] = field(default_factory=dict)
    path_shares: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class JacobianProducts(FrozenArrays):
    """How much of a change of the state survives, independent of any loss: Jacobians of one sequence, inputs fixed.

    s is h, or h and c concatenated for an LSTM; n is its size. Truncation cuts gradients, not these Jacobians. Singular
    values below 1e-15 of the largest are rounding errors. NaN where a state is not finite.

    Args:
        lags: (K,) the number k of Jacobians in the product P_k = ds_last/ds_{last-k}.
        norm, spectral_radius: (layers, directions, K) of P_k; singular_values (layers, directions, K, n), descending.
            NaN where the sequence has no step that far before its last.
        step_norm, step_spectral_radius: (layers, directions, T) of the single ds_t/ds_before; step_singular_values
            (layers, directions, T, n).
        lyapunov: (layers, directions, n) finite-time Lyapunov exponents of this sequence in nats per step, descending:
            the mean logarithmic growth along n orthogonal directions. If the first is negative, a change of the state
            dies out, else it grows. Minus infinity where a step erases a direction completely.

    A frame has only the norms (computed in float32, relative error 1e-4) and one exponent, ln ||P_k|| / k of the
    longest product: the largest exponent over these k steps. Everything else is None there.
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
        """Steps after which half of a change is left, at the rate of the largest exponent.

        0 if nothing is left after one step, infinite if the change does not die out, NaN without an exponent.
        """
        rate = float(self.lyapunov[layer, direction, 0])
        if math.isnan(rate):
            return math.nan
        return -math.log(2) / rate if rate < 0 else math.inf

    def one_percent(self, layer: int = -1, direction: int = 0) -> float:
        """The lag after which the norm of the product stays below 1 %.

        Between the measured lags the logarithm of the norm is interpolated linearly; at lag 0 the norm is 1. Infinite
        if the norm is not below 1 % at the largest lag, NaN if none was measured.
        """
        norms = self.norm[layer, direction]
        measured = np.flatnonzero(np.isfinite(norms))
        if not len(measured):
            return math.nan
        order = measured[np.argsort(self.lags[measured])]
        lags = [0.0, *map(float, self.lags[order])]
        sizes = [0.0, *(math.log(norm) if norm > 0 else -math.inf for norm in norms[order])]
        last = max(i for i, size in enumerate(sizes) if size >= math.log(0.01))
        if last == len(lags) - 1:
            return math.inf
        if sizes[last + 1] == -math.inf:
            return lags[last + 1]
        fraction = (sizes[last] - math.log(0.01)) / (sizes[last] - sizes[last + 1])
        return lags[last] + fraction * (lags[last + 1] - lags[last])


@dataclass(frozen=True, eq=False)
class Spectrum(FrozenArrays):
    """Eigenvalues and norms of the recurrent weights, and the products of Jacobians.

    Args:
        eigenvalues: {gate: (layers, directions, H) complex} of each (H, H) block of weight_hh, by the names of
            `Cell.gates`; in an encoder-decoder, the decoder's.
        largest_singular_value: {gate: (layers, directions)}: the most by which these weights can stretch a vector.
        products: norms and the largest exponent only, at the lags that a frame shows.
    """

    eigenvalues: dict[str, np.ndarray]
    largest_singular_value: dict[str, np.ndarray]
    products: JacobianProducts


@dataclass(frozen=True, eq=False)
class Saliency(FrozenArrays):
    """How strongly outputs depend on inputs: ||dy_t/dx_s|| for outputs at t and inputs at s, for one sequence.

    y_t is the logit of the target class, or the sum of the output values, at step t. The norm is over what the first
    layer reads: a symbol's one-hot code or embedding, or the values. Gradients are cut where training truncates them,
    and are exactly 0 there; `occluded` is not cut.

    Args:
        steps: (K,) positions of the outputs on the time axis, ascending: steps with a loss. In a one-way network with a
            single loss: every real step, with the output that the head would give there.
        norms: (K, T) float64, ||dy_t/dx_s||; exactly 0 if no path leads from the input to the output.
        occluded: (T,) float64, the absolute change of the last of these outputs if x_s is removed (no symbol, or the
            mean of the sequence's values). It shows a dependence that saturation hides from the gradient. As a
            difference of two forward passes, anything below 1e-7 of y is rounding. NaN at steps not tried.
    """

    steps: np.ndarray
    norms: np.ndarray
    occluded: np.ndarray


@dataclass(frozen=True, eq=False)
class TagAccuracies(FrozenArrays):
    """How often each tag is right, over the held-out words of somebody's own tagged sentences, read whole.

    All arrays are (classes,), in the order of the tags.

    Args:
        words: int64, held-out words that have this tag; of very many, those of evenly chosen sentences.
        network: float64, the share of them that the network gives it to; NaN for a tag that no held-out word has.
        usual: float64, the same of a simple answer: the tag that each word mostly has in the trained part.
    """

    words: np.ndarray
    network: np.ndarray
    usual: np.ndarray
