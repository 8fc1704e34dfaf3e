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
        keep_gate: the gate that keeps the old state, whose bias `forget_bias` sets; None where there is none.
        cure_bias: the total bias of that gate that lets a gradient through some 40 steps (calibrated in PRESETS).
    """

    title: str
    gates: tuple[str, ...]
    memory: str
    keep_gate: str | None
    cure_bias: float | None = None

    @property
    def blocks(self) -> int:
        """How many (hidden_size, hidden_size) blocks weight_hh stacks."""
        return len(self.gates)


CELLS: dict[str, Cell] = {
    "rnn": Cell(title="RNN", gates=("hidden",), memory="hidden", keep_gate=None),
    "gru": Cell(
        title="GRU",
        gates=("reset_gate", "update_gate", "candidate"),
        memory="hidden",
        keep_gate="update_gate",
        cure_bias=2.0,
    ),
    "lstm": Cell(
        title="LSTM",
        gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
        memory="cell",
        keep_gate="forget_gate",
        cure_bias=3.0,
    ),
}
