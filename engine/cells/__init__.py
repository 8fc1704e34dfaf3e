"""The catalogue of recurrent cells: what each is called and what it holds. No torch.

The equations stand in one file per cell, beside this one; `engine.lens` imports them when a network exists.
Adding a cell is one file and one entry here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What can be said of a cell without building one.

    Args:
        title: the name on the screen.
        gates: PyTorch's block order inside weight_hh, by the names that frames use; one block where there is no gate.
        memory: the state that carries memory, the one on which the gradient ratio is measured: "hidden" or "cell".
        retain_gate: the gate that keeps the old state, whose bias `forget_bias` sets; None where there is none.
        suggested_forget_bias: the total bias of that gate that lets a gradient through some 40 steps (calibrated in
            PRESETS).
        is_recurrent: False for a cell that has no link to the step before.
        peepholes: vectors of hidden_size weights through which gates see the cell state.
        uses_nonlinearity: the setting `nonlinearity` is its activation; gated cells have their own.
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
        """How many (hidden_size, hidden_size) blocks weight_hh stacks."""
        return len(self.gates)

    @property
    def has_cell_state(self) -> bool:
        """True where a state c goes along besides h."""
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
