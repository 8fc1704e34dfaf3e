"""Where theory draws lines across a map of gains: for which `init_gain` an untrained network keeps a gradient.

`init_gain` multiplies W_hh alone, so radius and norm of W_hh are proportional to it, and their lines are exact for the
very weights that a seed draws. The third line is measured, since it depends on inputs and biases as well.
Sources: norm and radius, Pascanu, Mikolov and Bengio (2013), section 2.1; exponents, `engine.lens.jacobians`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens.forward_trace import trace_forward
from engine.lens.jacobians import chains_of_steps, lyapunov_exponents
from engine.lens.spectrum import eigenvalues, largest_singular_values
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample, task_of

STEEPEST = {"tanh": 1.0, "relu": 1.0, "identity": 1.0, "sigmoid": 0.25}
"""The largest slope of an activation."""
LONG = 300  # steps over which an exponent is measured; the first ones, which come from h = 0, hardly count


def gain_of_unit_radius(experiment: Experiment) -> float | None:
    """The gain at which the spectral radius of W_hh is 1: near h = 0 a tanh network forgets below it, and not above.

    Of several layers the one with the largest radius counts.

    Returns:
        None for a cell whose gates scale the gradient as well, or that has no W_hh.
    """
    return _gain(experiment, lambda model: {gate: np.abs(each) for gate, each in eigenvalues(model).items()})


def gain_of_certain_vanishing(experiment: Experiment) -> float | None:
    """The gain below which every gradient vanishes: there, sigma_max(W_hh) times the steepest slope of phi is 1.

    The condition is sufficient, whatever the states are: above, a gradient may vanish as well.

    Returns:
        None as `gain_of_unit_radius`.
    """
    at_one = _gain(experiment, largest_singular_values)
    cell = CELLS[experiment.cell]
    activation = experiment.nonlinearity if cell.uses_nonlinearity else cell.nonlinearity
    return None if at_one is None or activation is None else at_one / STEEPEST[activation]


def largest_exponents(experiment: Experiment, gains: Sequence[float], sequences: int = 2) -> np.ndarray:
    """The largest Lyapunov exponent of the untrained network at each gain, in nats per step, (gains,).

    It is the mean over held-out sequences of LONG steps, or as long as the task has them; of layers the largest counts.

    Args:
        sequences: how many.
    """
    longest = min(LONG, task_of(experiment).lengths.high)
    long = experiment.replace(seq_len=max(experiment.seq_len, longest), carry_state=False)
    batch = sample(long, sequences, (long.seed, 0), "test")
    return np.array([_largest_exponent(build(long.replace(init_gain=gain)), batch, sequences) for gain in gains])


def gain_of_zero_exponent(gains: Sequence[float], exponents: Sequence[float]) -> float | None:
    """The gain at which the largest exponent first becomes positive: chaos above, all is forgotten below.

    Between two gains it is interpolated along the logarithm of the gain.

    Args:
        gains: ascending and positive. exponents: of each, as from `largest_exponents`.

    Returns:
        None if it does not cross 0 from below within these gains.
    """
    above = np.flatnonzero(np.asarray(exponents) > 0)
    if not len(above) or above[0] == 0:
        return None
    first = int(above[0])
    low, high = exponents[first - 1], exponents[first]
    if not np.isfinite([low, high]).all():
        return float(gains[first])
    share = -low / (high - low)
    return float(gains[first - 1] ** (1 - share) * gains[first] ** share)


def _gain(experiment: Experiment, measure: Callable[[RecurrentNetwork], Mapping[str, np.ndarray]]) -> float | None:
    """The gain at which the largest of these numbers of W_hh, which are proportional to it, is 1."""
    if not CELLS[experiment.cell].is_plain:
        return None
    numbers = measure(build(experiment.replace(init_gain=1.0)))
    largest = max((float(each.max()) for each in numbers.values()), default=0.0)
    return 1 / largest if largest > 0 else None


def _largest_exponent(model: RecurrentNetwork, batch: Batch, sequences: int) -> float:
    """The mean over sequences of the largest exponent of any layer."""
    trace = trace_forward(model, batch)
    of_each = [
        max(float(lyapunov_exponents(chain)[0]) for row in chains_of_steps(trace, number) for chain in row)
        for number in range(sequences)
    ]
    return float(np.mean(of_each))
