"""The step that is spelled out in a script computes the very same numbers as the step itself."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear

from engine import codegen
from engine.cells import CELLS, Cell, Equation, Vector
from engine.cells.structure import CellError
from engine.codegen.cells import cell as cell_of_script
from engine.codegen.cells import class_name
from engine.codegen.data import bundle
from engine.codegen.plan import plan
from engine.codegen.step_source import step_source
from engine.experiment import Experiment

T, BATCH, INPUTS, UNITS = 6, 3, 4, 5
FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda a: a}


class PlainOps:
    """The operations of a step in a few lines of PyTorch, with the parameters of a script's cell."""

    sigmoid, tanh, relu = staticmethod(torch.sigmoid), staticmethod(torch.tanh), staticmethod(torch.relu)

    def __init__(self, cell: Cell, module: nn.Module, nonlinearity: str) -> None:
        self.cell, self.phi = cell, FUNCTIONS[nonlinearity]
        self.of = {name.removesuffix("_l0"): value.detach() for name, value in module.named_parameters()}

    def W_ih(self, gate: str, x: Tensor) -> Tensor:
        return x[self.cell.letters.index(gate)]  # the products of all gates are given

    def W_hh(self, gate: str, h: Tensor) -> Tensor:
        reads, letters = self.cell.structure.state_reads, self.cell.letters
        alone = reads[gate] is None
        group = [gate] if alone else [letter for letter in letters if reads[letter] is not None]
        weight, bias = (
            None if values is None else torch.cat([values.chunk(len(letters))[letters.index(each)] for each in group])
            for values in (self.of["weight_hh"], self.of.get("bias_hh"))
        )
        return linear(h, weight, bias).chunk(len(group), -1)[group.index(gate)]

    def vector(self, symbol: str) -> Tensor:
        vector = next(vector for vector in self.cell.vectors if symbol in vector.symbols)
        return self.of[vector.name].chunk(len(vector.symbols))[vector.symbols.index(symbol)]

    def layer_norm(self, parts: list[Tensor], gain: str, shift: str) -> tuple[Tensor, ...]:
        joined = torch.cat(list(parts), -1)
        return (layer_norm(joined, joined.shape[-1:]) * self.of[gain] + self.of[shift]).chunk(len(parts), -1)

    def state(self, name: str, value: Tensor) -> Tensor:
        return value


def spelled_out(experiment: Experiment) -> nn.Module:
    """The cell of an experiment's script, with random numbers for all its parameters."""
    made = plan(experiment, (), bundle(experiment))
    names = {"torch": torch, "nn": nn, "math": math, "linear": linear, "layer_norm": layer_norm, "Tensor": Tensor}
    names["HIDDEN_SIZE"] = UNITS
    exec(cell_of_script(made), names)
    torch.manual_seed(1)
    module = names[class_name(made)](INPUTS)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


@torch.no_grad()
def both(slug: str, nonlinearity: str = "tanh") -> tuple[Tensor, Tensor]:
    """The states h of a script's cell and of the step itself, (T, BATCH, UNITS) each, at the same inputs."""
    cell = CELLS[slug]
    module = spelled_out(Experiment(cell=slug, nonlinearity=nonlinearity))
    inputs = torch.randn(T, BATCH, INPUTS)
    ops = PlainOps(cell, module, nonlinearity)
    products = linear(inputs, ops.of["weight_ih"], ops.of.get("bias_ih"))
    old, states = {name: torch.zeros(BATCH, UNITS) for name in cell.states}, []
    for entering in products if cell.is_recurrent else products[None]:
        _, new = cell.step(ops, entering.chunk(cell.blocks, -1), lambda path, state, old=old: old[state])
        old = new
        states.append(old["h"])
    return module(inputs), torch.stack(states).view(T, BATCH, UNITS)


KINDS = [(slug, kind) for slug, cell in CELLS.items() for kind in (FUNCTIONS if cell.uses_nonlinearity else ["tanh"])]


@pytest.mark.parametrize(("slug", "nonlinearity"), KINDS)
def test_the_numbers_are_those_of_the_step(slug, nonlinearity):
    script, step = both(slug, nonlinearity)
    assert torch.equal(script, step)
    assert len(step.unique()) > T


@pytest.mark.parametrize("slug", CELLS)
def test_parameters_are_those_that_the_cell_declares(slug):
    module = spelled_out(Experiment(cell=slug))
    found = {name.removesuffix("_l0"): tuple(value.shape) for name, value in module.named_parameters()}
    assert list(found.items()) == list(CELLS[slug].shapes(INPUTS, UNITS).items())


def test_it_reads_as_a_person_would_write_it():
    step = step_source(CELLS["lstm_peephole"], "tanh")
    assert step.before == ("p_i, p_f, p_o = self.weight_ch_l0.chunk(3)",)
    assert [*step.lines, f"hidden, cell = {step.states}"] == [
        "x_i, x_f, x_g, x_o = entering.chunk(4, -1)",
        "h_i, h_f, h_g, h_o = linear(hidden, self.weight_hh_l0, self.bias_hh_l0).chunk(4, -1)",
        "i = torch.sigmoid(x_i + h_i + p_i * cell)",
        "f = torch.sigmoid(x_f + h_f + p_f * cell)",
        "g = torch.tanh(x_g + h_g)",
        "c = f * cell + i * g",
        "o = torch.sigmoid(x_o + h_o + p_o * c)",
        "hidden, cell = o * torch.tanh(c), c",
    ]


# ---- cells that are not in the catalogue

ANY = "lstm"
"""The entry of the catalogue in whose place they are put."""


def awkward(ops, x, s):
    """Names that the script has already, products out of order, and a part that is only for display."""
    t = ops.sigmoid(ops.W_ih("t", x) + ops.W_hh("t", s("gates", "h")))
    before = s("kept", "c")
    cell = ops.sigmoid(ops.W_ih("m", x) + ops.W_hh("m", t * s("gates", "h")))
    hidden = ops.tanh(ops.W_ih("k", x) + ops.W_hh("k", s("gates", "h")))
    shown = {"shown": 2 * t}
    parts = [cell, ops.vector(r"\gamma'") * hidden]
    x_t, old = ops.layer_norm(parts, "gain", "shift")
    z = ops.state("c", t * before + (1 - t) * x_t)  # the state
    return {"t": t, "m": cell, "k": hidden, **shown}, {"c": z, "h": ops.relu(old - (z - 0.5))}


AWKWARD = Cell(
    title="Awkward", summary="A cell of the tests.", note="", states=("h", "c"), letters=("t", "m", "k"),
    gates=("t", "m", "k"), paths={"gates": "h", "kept": "c"}, step=awkward, equations=(Equation("t", "t"),),
    terms={"shown": "shown"}, state_arguments={"m": "t h"},
    vectors=(Vector("weight_u", (r"\gamma'",), start=0.25), Vector("gain", ("a", "b")), Vector("shift", ("d", "e"))),
)  # fmt: skip


def gated(ops, x, s):
    """No state is read: all steps at once."""
    a = ops.sigmoid(ops.W_ih("a", x))
    return {"a": a, "b": ops.W_ih("b", x)}, {"h": a * ops.phi(ops.W_ih("b", x))}


GATED = Cell(
    title="Layers", summary="A cell of the tests.", note="", letters=("a", "b"), gates=("a", "b"), paths={}, step=gated,
    equations=(Equation("a", "a"),), uses_nonlinearity=True,
)  # fmt: skip


@pytest.mark.parametrize("cell", [AWKWARD, GATED], ids=["awkward", "gated"])
def test_a_new_cell_needs_no_line_here(cell, monkeypatch):
    monkeypatch.setitem(CELLS, ANY, cell)
    script, step = both(ANY)
    torch.testing.assert_close(script, step)


def test_names_of_the_script_are_kept_free():
    step = step_source(AWKWARD, "tanh")
    text = "\n".join(step.lines)
    assert "t_ = torch.sigmoid(" in text
    assert "cell_ = torch.sigmoid(x_m + linear(t_ * hidden, W_hm, b_hm))" in text
    assert "shown" not in text
    assert step.before[0] == "W_ht, W_hm, W_hk = self.weight_hh_l0.split([HIDDEN_SIZE, HIDDEN_SIZE, HIDDEN_SIZE])"
    assert step.lines[-1].endswith("  # the state")
    assert step.normalises


@pytest.mark.parametrize("path", sorted(Path(codegen.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_no_cell_is_named(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert constants & (set(CELLS) - {"linear"}) == set()  # linear is a function of PyTorch, too


def test_a_class_has_a_name_of_its_own(monkeypatch):
    monkeypatch.setitem(CELLS, ANY, GATED)
    experiment = Experiment(cell=ANY)
    assert class_name(plan(experiment, (), bundle(experiment))) == "LayersCell"


def assigns_twice(ops, x, s):
    h = ops.W_ih("h", x)
    h = h + s("recurrent", "h")
    return {"h": h}, {"h": h}


def loops(ops, x, s):
    h = s("recurrent", "h")
    for _ in range(2):
        k = h + ops.W_ih("h", x)
    return {"h": k}, {"h": k}


def calls_others(ops, x, s):
    h = ops.W_ih("h", x) + abs(2) * s("recurrent", "h")
    return {"h": h}, {"h": h}


def returns_names(ops, x, s):
    values = {"h": ops.W_ih("h", x) + s("recurrent", "h")}
    return values, values


REFUSED = {
    assigns_twice: "assigns a name twice",
    loops: "cannot spell out",
    calls_others: r"cannot spell out.*abs\(2\)",
    returns_names: "does not return two dictionaries",
}


@pytest.mark.parametrize("step", REFUSED)
def test_what_cannot_be_spelled_out_is_refused(step):
    cell = Cell(
        title="Refused", summary="", note="", letters=("h",), gates=("hidden",), paths={"recurrent": "h"}, step=step,
        equations=(),
    )  # fmt: skip
    with pytest.raises(CellError, match=REFUSED[step]):
        step_source(cell, "tanh")
