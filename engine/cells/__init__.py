"""The catalogue of recurrent cells: their names, gates and states. No torch.

The equations are in one file per cell in this folder; only code that builds or traces a network imports them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Facts about a cell that need no network.

    Args:
        title: the name on the screen.
        gates: the blocks of weight_hh in PyTorch's order, by the names used in frames; one block for a plain cell.
        memory: the state that carries memory, at which the gradient ratio is measured: "hidden" or "cell".
        retain_gate: the gate that keeps the old state, whose bias `forget_bias` sets; None without one.
        suggested_forget_bias: total bias of that gate with which a gradient survives about 40 steps (found by
            experiment).
        is_recurrent: False for a cell that does not use its previous state.
        peepholes: number of weight vectors (hidden_size,) from the cell state to gates.
        uses_nonlinearity: True if the setting `nonlinearity` is its activation; gated cells have fixed ones.
    """

    title: str
    gates: tuple[str, ...]
    memory: str = "hidden"
    retain_gate: str | None = None
    suggested_forget_bias: float | None = None
    is_recurrent: bool = True
    peepholes: int = 0
    uses_nonlinearity: bool = False

    @property
    def blocks(self) -> int:
        """The number of (hidden_size, hidden_size) blocks in weight_hh."""
        return len(self.gates)

    @property
    def has_cell_state(self) -> bool:
        """True if there is a cell state c besides h."""
        return self.memory == "cell"


CELLS: dict[str, Cell] = {
    "rnn": Cell(title="RNN", gates=("hidden",), uses_nonlinearity=True),
    "gru": Cell(
        title="GRU",
        gates=("reset_gate", "update_gate", "candidate"),
        retain_gate="update_gate",
        suggested_forget_bias=2.0,
    ),
    "lstm": Cell(
        title="LSTM",
        gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
        memory="cell",
        retain_gate="forget_gate",
        suggested_forget_bias=3.0,
    ),
    "lstm_peephole": Cell(
        title="Peephole LSTM",
        gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
        memory="cell",
        retain_gate="forget_gate",
        suggested_forget_bias=3.0,
        peepholes=3,
    ),
    "lstm_no_forget": Cell(
        title="LSTM 1997",
        gates=("input_gate", "cell_candidate", "output_gate"),
        memory="cell",
    ),
    "gru_simple": Cell(
        title="Simple GRU",
        gates=("update_gate", "candidate"),
        retain_gate="update_gate",
        suggested_forget_bias=2.0,
    ),
    "feedforward": Cell(title="Feed-forward", gates=("hidden",), is_recurrent=False, uses_nonlinearity=True),
}
