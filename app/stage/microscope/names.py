"""How gates and states are written: in PyTorch's letters, or as in Andrew Ng's course. No torch.

Ng writes the state of his GRU c, which is its output too, and the hidden state of other cells a. His update gate lets
new content in: it is 1 - z of PyTorch's z, which keeps. Where a picture with his names shows the number of z, it must
write 1 - Gamma_u.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engine.cells import Cell

NOW, BEFORE = "ₜ", "ₜ₋₁"
NG_GATES = {"input_gate": "Γ_u", "forget_gate": "Γ_f", "output_gate": "Γ_o", "reset_gate": "Γ_r", "update_gate": "Γ_u"}
WORDS = {"cell_candidate": "new", "candidate": "new", "retain_factor": "factor"}
FUNCTIONS = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU", "identity": "linear"}


@dataclass(frozen=True)
class Names:
    """The symbols of a cell; an underscore lowers what follows.

    Args:
        cell: the cell. ng: True for the names of Andrew Ng's course.
    """

    cell: Cell
    ng: bool = False

    @cached_property
    def opposite(self) -> str:
        """The letter of the gate that is one minus Ng's; empty without one, and in PyTorch's names."""
        is_update = self.ng and self.cell.retain_gate == "update_gate"
        return (self.cell.retain_letter or "") if is_update else ""

    def gate(self, letter: str) -> str:
        """A gate or new content; of a plain cell its state."""
        name = self.cell.gates[self.cell.letters.index(letter)]
        if name == "hidden":
            return self.state(letter)
        if not self.ng:
            return letter
        if name.endswith("candidate"):
            return "c̃"
        return f"1 − {NG_GATES[name]}" if letter == self.opposite else NG_GATES.get(name, letter)

    def complement(self, letter: str) -> str:
        """One minus a gate."""
        return "Γ_u" if letter == self.opposite else f"1 − {self.gate(letter)}"

    def state(self, letter: str) -> str:
        """A state without its time."""
        if self.ng and letter == "h":
            return "c" if len(self.cell.gates) > 1 and not self.cell.has_cell_state else "a"
        return letter

    def word(self, letter: str) -> str:
        """What a gate does, in one word, from its name."""
        name = self.cell.gates[self.cell.letters.index(letter)]
        return WORDS.get(name) or name.removesuffix("_gate").replace("_", " ")

    def value(self, identity: str) -> str:
        """A state, a gate or one minus a gate by the id of its value."""
        first, _, rest = identity.partition(" ")
        if first == "gate":
            return self.gate(rest)
        if identity.startswith("1 - gate "):
            return self.complement(identity.removeprefix("1 - gate "))
        return self.state(first) + (BEFORE if rest == "old" else NOW)


def factor(symbol: str) -> str:
    """A symbol as a factor of a product."""
    return f"({symbol})" if " − " in symbol else symbol
