"""Where a run is computed: on the CPU, or on a GPU where that pays. No torch."""

from __future__ import annotations

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment, ExperimentError
from engine.update_cost import ONE_CORE, step_cost

PAYS_FROM = 8e7
"""Multiply-adds of an update from which a GPU is faster where the library runs all steps in one call: it needs 2.7 ms
for the smallest. Measured, an H200 against one CPU thread: at H = 32, T = 40 an LSTM takes 2.7 ms there and 2.4 here;
at H = 64, T = 100 the RNN takes 2.7 and 7.2 ms, the GRU 2.9 and 18.7, the LSTM 2.7 and 7.8. See "When a GPU pays" in
BENCHMARKS.md."""
PAYS_FROM_IN_A_STEP = 1e7
"""The same for one step in time where steps are run one by one: each then waits for some thirty launches."""


def gpu_pays(experiment: Experiment) -> bool:
    """Whether a GPU is likely to make an update faster than one CPU core, or the only place with enough memory."""
    multiply_adds, size = step_cost(experiment)
    if size > ONE_CORE.bytes or multiply_adds > ONE_CORE.multiply_adds:
        return True
    if _runs_step_by_step(experiment):
        return multiply_adds / (experiment.time_steps - experiment.warm_up) >= PAYS_FROM_IN_A_STEP
    return multiply_adds >= PAYS_FROM


def settled(experiment: Experiment, has_gpu: bool) -> Experiment:
    """The experiment with the device on which it runs on a machine: "cpu" or "cuda".

    Raises:
        ExperimentError: if it needs a GPU and there is none, or is too large for a CPU.
    """
    if experiment.device == "auto":
        return experiment.replace(device="cuda" if has_gpu and gpu_pays(experiment) else "cpu")
    if experiment.device == "cuda" and not has_gpu:
        raise ExperimentError("device", got="cuda", accepts="cpu or auto on this machine, which has no CUDA device")
    return experiment


def _runs_step_by_step(experiment: Experiment) -> bool:
    """Whether one step waits for the one before it in Python, or on a GPU in the library."""
    e, cell = experiment, CELLS[experiment.cell]
    if e.rnn_type in AUTOREGRESSIVE_TYPES and e.teacher_forcing < 1:
        return True
    if cell.torch_layer is not None:
        return e.dropout > 0 or e.recurrent_dropout > 0  # cuDNN is not used then: see `engine.training.trainer`
    return cell.is_recurrent and not cell.structure.is_linear
