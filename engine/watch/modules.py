"""Which recurrent modules a model has, and what they compute with."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.layers.weights import Weights

LAYERS: dict[type[nn.Module], str] = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
ONE_STEP: dict[type[nn.Module], str] = {nn.RNNCell: "rnn", nn.GRUCell: "gru", nn.LSTMCell: "lstm"}
"""PyTorch's modules, with the names of their cells in `engine.cells.CELLS`."""


@dataclass(frozen=True)
class WatchedModule:
    """A recurrent module of a model.

    Args:
        name: as in `named_modules()`, without what `torch.compile` puts around a module.
        cell: its cell in `engine.cells.CELLS`. one_step: it is one of PyTorch's cells, called for every step.
        path: the same within its model, without the model's own name; "" if it is the whole model.
    """

    name: str
    cell: str
    one_step: bool
    module: weakref.ref[nn.Module]
    path: str = ""


@dataclass(frozen=True)
class Stack:
    """The layers of a module, as far as a sweep needs to know them.

    Args:
        units: H. projected: `proj_size`, or 0. dropout: its probability where it acts between layers, or 0.
    """

    cell: str
    layers: int
    directions: int
    units: int
    projected: int
    bias: bool
    nonlinearity: str
    dropout: float

    @property
    def width(self) -> int:
        """The units of h_t."""
        return self.projected or self.units

    @property
    def state_widths(self) -> tuple[int, ...]:
        """The units of h_t, and of c_t if there is one."""
        return (self.width, self.units) if CELLS[self.cell].has_cell_state else (self.width,)

    def weights(self, flat: list[Tensor]) -> list[list[Weights]]:
        """The weights by [layer][direction], detached. flat: as `flat_weights` gives them."""
        per = 2 + 2 * self.bias + bool(self.projected)
        found = []
        for start in range(0, len(flat), per):
            ih, hh, *others = (weight.detach() for weight in flat[start : start + per])
            hr = others.pop() if self.projected else None
            bias_ih, bias_hh = others if self.bias else (None, None)
            found.append(Weights(ih, hh, bias_ih, bias_hh, {}, hr))
        return [found[at : at + self.directions] for at in range(0, len(found), self.directions)]


def find(model: nn.Module, prefix: str = "") -> tuple[dict[int, WatchedModule], dict[str, str]]:
    """Find the recurrent modules of a model.

    Args:
        prefix: the model's own name, which begins the names of its parts; by default they are as in `named_modules()`.

    Returns:
        Those that can be watched by `id`, and by name the reason why others cannot.
    """
    found: dict[int, WatchedModule] = {}
    refused: dict[str, str] = {}
    compiled = [path for path, module in model.named_modules() if is_compiled(module)]
    copied = [path for path, module in model.named_modules() if is_copied(module)]
    for path, module in model.named_modules():
        name = _name(f"{prefix}.{path}") or type(module).__name__
        base = next((kind for kind in (*LAYERS, *ONE_STEP) if isinstance(module, kind)), None)
        if isinstance(module, torch.jit.ScriptModule) and module.original_name in _NAMES:
            refused[name] = (
                f"{name} is a scripted or traced {module.original_name}, which no hook sees. Watch the module that it "
                "was made from."
            )
        elif base is not None and has_own_forward(module, base):
            refused[name] = (
                f"{name} is a {type(module).__name__} with a forward of its own: what it computes is not known to be "
                f"nn.{base.__name__}'s. Use nn.{base.__name__} itself, or call lens.state in a loop of your own."
            )
        elif base is not None and _is_within(path, copied):
            refused[name] = (
                f"{name} is in a DataParallel of several GPUs, which calls copies of it. Watch it on one GPU, or use "
                "DistributedDataParallel and watch one process."
            )
        elif base in ONE_STEP and _is_within(path, compiled):
            refused[name] = (
                f"{name} is called step by step in compiled code, where its states do not exist, and a hook would "
                "change what is compiled. Watch the model without torch.compile."
            )
        elif base is not None:
            cell, one_step = {**LAYERS, **ONE_STEP}[base], base in ONE_STEP
            found[id(module)] = WatchedModule(name, cell, one_step, weakref.ref(module), _name(path))
    return found, refused


_NAMES = {kind.__name__ for kind in (*LAYERS, *ONE_STEP)}


def _is_within(path: str, outer: list[str]) -> bool:
    return any(f"{path}.".startswith(f"{each}.".lstrip(".")) for each in outer)


def is_copied(module: nn.Module) -> bool:
    """True if the module is copied onto several GPUs in every forward call."""
    return isinstance(module, nn.DataParallel) and len(module.device_ids) > 1


def is_compiled(module: nn.Module) -> bool:
    """True if `torch.compile` is around a module, or its own `compile()` was called."""
    return "_orig_mod" in module._modules or getattr(module, "_compiled_call_impl", None) is not None


def _name(path: str) -> str:
    """The module's name as its author knows it."""
    return ".".join(part for part in path.split(".") if part not in ("", "_orig_mod"))


def has_own_forward(module: nn.Module, base: type[nn.Module]) -> bool:
    """True if a module is a subclass, or was changed, so that it no longer runs the library's forward."""
    return type(module).forward is not base.forward or "forward" in vars(module)


def stack_of(module: nn.Module, watched: WatchedModule) -> Stack:
    """Describe a module's layers, as of this call."""
    m = module
    if watched.one_step:
        return Stack(watched.cell, 1, 1, m.hidden_size, 0, m.bias, getattr(m, "nonlinearity", "tanh"), 0.0)  # type: ignore[arg-type]
    drops = m.training and m.num_layers > 1  # type: ignore[operator]
    return Stack(
        watched.cell,
        m.num_layers,  # type: ignore[arg-type]
        2 if m.bidirectional else 1,
        m.hidden_size,  # type: ignore[arg-type]
        m.proj_size,  # type: ignore[arg-type]
        m.bias,  # type: ignore[arg-type]
        getattr(m, "nonlinearity", "tanh"),
        float(m.dropout) if drops else 0.0,  # type: ignore[arg-type]
    )


def flat_weights(module: nn.Module) -> list[Tensor]:
    """The weights of a module as its last call used them, in PyTorch's order: by layer, then by direction."""
    if isinstance(module, nn.RNNBase):
        return list(module._flat_weights)  # type: ignore[arg-type]
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [weight for name in names if (weight := getattr(module, name, None)) is not None]
