"""What to write in one's own PyTorch script: the cures of a watched model, as lines of code that are right for it."""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass

from engine.cells import CELLS
from engine.frame import Chain
from engine.watch.modules import Stack

CLIP = "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # after loss.backward(): bounds the update"
OWN_LOOP = (
    "In the loop, keep the old state at the start: orthogonal recurrent weights (torch.nn.init.orthogonal_), or a gate "
    "whose bias opens it for the old state. A gate that begins half open loses half at every step."
)
CALIBRATED_STEPS = 45
"""Over so many steps a cell's suggested bias keeps a tenth of the gradient."""


@dataclass(frozen=True)
class Code:
    """How a module is written in its author's script.

    Args:
        path: its place in the model, "" if it is the whole model. one_step: it is one of PyTorch's cells.
    """

    path: str
    stack: Stack
    input_size: int
    one_step: bool

    @property
    def module(self) -> str:
        """An expression that is the module, where the whole model is `model`."""
        if not self.path:
            return "model"
        parts = self.path.split(".")
        if all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            return f"model.{self.path}"
        return f'model.get_submodule("{self.path}")'

    def parameter(self, what: str, layer: int = 0, direction: int = 0) -> str:
        """An expression that is a parameter, such as "weight_hh" of one layer in one direction."""
        suffix = "" if self.one_step else f"_l{layer}" + ("_reverse" if direction else "")
        return f"{self.module}.{what}{suffix}"

    def parameters(self, what: str) -> list[str]:
        """The same of every layer and direction."""
        stack = self.stack
        return [self.parameter(what, layer, d) for layer in range(stack.layers) for d in range(stack.directions)]

    def made_as(self, cell: str, **options: object) -> str:
        """The line that makes such a module with another cell, or with other options."""
        torch_layer, stack = CELLS[cell].torch_layer, self.stack
        given = {"num_layers": stack.layers} if stack.layers > 1 else {}
        given |= {"bidirectional": True} if stack.directions > 1 else {}
        kind = f"{torch_layer}Cell" if self.one_step else torch_layer
        named = [f"{name}={value!r}" for name, value in (given | options).items()]
        return f"torch.nn.{kind}({', '.join([str(self.input_size), str(stack.units), *named])})"


def keep_norms(code: Code) -> str:
    """Recurrent weights that neither shrink nor stretch a gradient.

    Orthogonal ones; with ReLUs, half of which would be 0, the identity (Le, Jaitly and Hinton 2015, arXiv 1504.00941).
    """
    start = "eye_" if CELLS[code.stack.cell].activation(code.stack.nonlinearity) == "relu" else "orthogonal_"
    weights = code.parameters("weight_hh")
    return "\n".join(f"torch.nn.init.{start}({weight})  # before training" for weight in weights)


def keep_state(code: Code, steps: int) -> str:
    """A bias that opens the gate that keeps the old state, so that a gradient comes back over so many steps."""
    kind, stack = CELLS[code.stack.cell], code.stack
    assert kind.retain_gate is not None
    if not stack.bias:
        return f"{code.made_as(code.stack.cell, bias=True)}  # with a bias, the {_gate(code)}'s can be raised"
    start = kind.gates.index(kind.retain_gate) * stack.units
    block = f"[{start}:{start + stack.units}]"
    bias = suggested_bias(stack.cell, steps)
    biases = code.parameters("bias_hh")
    return "\n".join(f"{each}.data{block} = {bias}  # the {_gate(code)}'s, before training" for each in biases)


def suggested_bias(cell: str, steps: int) -> float:
    """The bias of the gate that keeps the state, for a way of so many steps; 1 - sigmoid(b) falls like exp(-b)."""
    calibrated = CELLS[cell].suggested_forget_bias
    assert calibrated is not None
    return calibrated + max(0.0, round(2 * math.log(max(steps, 1) / CALIBRATED_STEPS)) / 2)


def let_gradient_through(code: Code, chain: Chain, numbers: dict[str, float], steps: int) -> str:
    """What lets more of the gradient through: an open gate, weights that keep norms, or a cell with gates.

    Nothing if the gate is as open as that already.

    Args:
        numbers: the evidence of the diagnosis. steps: the way.
    """
    if chain.cell_kind.retain_gate is not None:
        opened = 1 / (1 + math.exp(-suggested_bias(code.stack.cell, steps)))
        return "" if numbers.get("kept_per_step", 0.0) >= opened else keep_state(code, steps)
    if numbers.get("weights_per_step", 1.0) < numbers.get("slope_per_step", 1.0):
        return keep_norms(code)
    return use_gates(code, steps)


def use_gates(code: Code, steps: int) -> str:
    """An LSTM in place of a plain cell, with an open forget gate."""
    lstm = Code(code.path, Stack("lstm", *_others(code.stack)), code.input_size, code.one_step)
    returns = "h, c" if code.one_step else "output, (h, c)"
    return f"{code.made_as('lstm')}  # in place of nn.RNN; it returns {returns}\n{keep_state(lstm, steps)}"


def unpin(code: Code, inputs_are_large: bool) -> str:
    """Preactivations of a usual size, where most units are at their limits."""
    scaled = f"x = (x - x.mean()) / x.std()  # before it enters {code.module}: its inputs are too large"
    return scaled if inputs_are_large else keep_norms(code)


def other_activation(code: Code) -> str:
    """tanh in place of ReLUs that are at 0."""
    return f"{code.made_as(code.stack.cell, nonlinearity='tanh')}  # in place of nonlinearity='relu'"


def _others(stack: Stack) -> tuple[int, int, int, int, bool, str, float]:
    return stack.layers, stack.directions, stack.units, 0, stack.bias, "tanh", stack.dropout


def _gate(code: Code) -> str:
    return (CELLS[code.stack.cell].retain_gate or "").replace("_", " ")
