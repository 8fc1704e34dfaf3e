"""The measurement of what a time step costs: its experiments, table and sentences."""

from __future__ import annotations

from dataclasses import dataclass

from app.equations.parameter_table import matrices
from engine.cells import CELLS
from engine.experiment import Experiment, ExperimentError
from engine.parameters import in_library
from engine.update_cost import step_cost

LENGTHS = (25, 100, 400)
BATCH_SIZE = 32
THIS, PLAIN = "this", "plain"
PLAIN_RNN = {"cell": "rnn", "nonlinearity": "tanh"}
"""The settings of the network that the others are compared with."""

BUTTON = "Measure the cost of a time step"
MEASURING = "Measuring: this network and a plain RNN in turn. Runs continue to train."
STOP = "Stop measuring"
NOISE = ("Median of {repeats} updates each, in a worker of this server that may do other work as well. "
         "Another measurement will give slightly different numbers.")  # fmt: skip
TOO_LARGE = "Not measured, because one update would be too large for this server: {lengths} time steps."


@dataclass(frozen=True)
class CostMeasurement:
    """What is measured.

    Args:
        experiments: by network (THIS or PLAIN) and length.
        left_out: the lengths that would be too large.
    """

    experiments: dict[tuple[str, int], Experiment]
    left_out: tuple[int, ...]


def plan(e: Experiment) -> CostMeasurement:
    """This cell and the plain RNN on the adding problem, with this width and depth, at every length within the limits.

    The learning rate is tiny: the weights hardly change, so no update can break. A plain tanh RNN is measured alone.
    """
    kinds = {THIS: {name: getattr(e, name) for name in PLAIN_RNN}, PLAIN: PLAIN_RNN}
    if is_plain(e):
        del kinds[PLAIN]
    experiments, left_out = {}, set()
    for seq_len in LENGTHS:
        for kind, cell in kinds.items():
            try:
                experiments[kind, seq_len] = Experiment(
                    task="adding", rnn_type="many_to_one", **cell, hidden_size=e.hidden_size, num_layers=e.num_layers,
                    seq_len=seq_len, batch_size=BATCH_SIZE, learning_rate=1e-6,
                )  # fmt: skip
            except ExperimentError:
                left_out.add(seq_len)
    fit = {key: experiment for key, experiment in experiments.items() if key[1] not in left_out}
    return CostMeasurement(fit, tuple(sorted(left_out)))


def is_plain(e: Experiment) -> bool:
    """True for the network that the others are compared with."""
    return {name: getattr(e, name) for name in PLAIN_RNN} == PLAIN_RNN


def table(e: Experiment, medians: dict[tuple[str, int], float]) -> dict[str, list[str]]:
    """Milliseconds per update by length."""
    cell = CELLS[e.cell]
    other = cell.uses_nonlinearity and e.nonlinearity != PLAIN_RNN["nonlinearity"]
    own_name = f"{cell.title}{f' with {e.nonlinearity}' if other else ''}"
    titles = {THIS: f"{own_name}, ms per update", PLAIN: "plain RNN, ms per update"}
    lengths = sorted({seq_len for _, seq_len in medians})
    kinds = [kind for kind in titles if (kind, lengths[0]) in medians]
    rows = {titles[kind]: [ms(medians[kind, seq_len]) for seq_len in lengths] for kind in kinds}
    return {"Time steps": [str(seq_len) for seq_len in lengths], **rows}


def sentences(e: Experiment, medians: dict[tuple[str, int], float]) -> list[str]:
    """How the time of an update grows with length, and the cost of a time step relative to a plain RNN's."""
    own_seconds = {seq_len: seconds for (kind, seq_len), seconds in medians.items() if kind == THIS}
    cell = CELLS[e.cell]
    if not cell.is_recurrent:
        waits = "no time step needs the result of another"
    elif cell.structure.is_linear:
        waits = "the step is linear in the old state, so all time steps can be computed in parallel"
    else:
        waits = "each time step needs the result of the one before"
    lines = [f"{', '.join(f'{n} → {ms(seconds)} ms' for n, seconds in own_seconds.items())}: {waits}."]
    if not is_plain(e):
        longest, planned = max(own_seconds), plan(e).experiments
        share = own_seconds[longest] / medians[PLAIN, longest]
        numbers = matrices(planned[THIS, longest]) / matrices(planned[PLAIN, longest])
        lines.append(
            f"At {longest} time steps, each costs {share:.1f} times a plain RNN's; the matrices hold "
            f"{numbers:.1f} times as many numbers."
            if numbers >= 1
            else f"At {longest} time steps, each costs {share:.2f} times a plain RNN's."
        )
    if cell.is_recurrent and not in_library(e):
        lines.append("PyTorch has no such cell. Ours is written in Python, which is a part of the cost.")
    if cell.cost_note is not None:
        lines.append(cell.cost_note)
    return lines


def setting(e: Experiment) -> str:
    """The measured update, for the line above the table."""
    layers = f"{e.num_layers} layers" if e.num_layers > 1 else "1 layer"
    return f"One update on {BATCH_SIZE} sequences of the adding problem, {e.hidden_size} units, {layers}."


def attention(e: Experiment) -> str:
    """What attention adds, which is not measured; "" without attention."""
    if e.attention == "none":
        return ""
    more = step_cost(e)[0] / step_cost(e.replace(attention="none"))[0] - 1
    return (
        f"Attention is not in this measurement: it compares {e.time_steps - e.seq_len} steps with {e.seq_len} states "
        f"and reads them, {more:.0%} more multiplications in each update of this network."
    )


def ms(seconds: float) -> str:
    """Seconds as milliseconds, with about two significant digits."""
    thousandths = 1000 * seconds
    return f"{thousandths:.0f}" if thousandths >= 10 else f"{thousandths:.1f}"
