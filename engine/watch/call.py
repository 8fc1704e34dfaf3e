"""One call of one recurrent module, kept until its gradient has come back."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.watch.layout import Layout, data_of, layout_of
from engine.watch.modules import Stack, WatchedModule, flat_weights, stack_of
from engine.watch.refusal import RefusalError
from engine.watch.wiring import Link

HALF = (torch.float16, torch.bfloat16)


@dataclass(eq=False)
class Call:
    """What one call of a module read and gave, detached from autograd, and the gradients that came back to it.

    Args:
        name: of its module. number: counts all calls that the lens has kept.
        inputs: (T, B, I). initial: the states before, (layers * directions, B, units) each. output: (T, B, directions *
            units of h).
        weights: as this call used them, with their graph.
        versions: (tensor, its version, what it is) of everything that must not have changed before the sweep.
        random_state: torch's generator before the call, where dropout acts between its layers.
        state_link, input_link: where its initial state and its input come from.
        hook_has_hidden: what arrives at c' of an LSTMCell has the way through h' in it already.
        autocast: the dtype that autocast computes with, or None.
        gradients: by "output", "h" and "c", as autograd delivered them in the backward pass that is running. Each is
            shaped as the module returned that result (of packed sequences their `data`).
        copies: (weight, its values) of weights that a hook could change within the backward pass, unseen by versions.
        refused: why this call cannot be measured, as far as that is known before its sweep.
    """

    name: str
    number: int
    stack: Stack
    layout: Layout
    one_step: bool
    inputs: Tensor
    initial: tuple[Tensor, ...]
    output: Tensor
    weights: list[Tensor]
    versions: list[tuple[Tensor, int, str]]
    module: weakref.ref[nn.Module]
    random_state: Tensor | None = None
    state_link: Link | None = None
    input_link: Link | None = None
    hook_has_hidden: bool = False
    autocast: torch.dtype | None = None
    gradients: dict[str, Tensor] = field(default_factory=dict)
    copies: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    refused: str | None = None

    @property
    def batch(self) -> int:
        """B."""
        return self.inputs.shape[1]

    @property
    def rounds(self) -> torch.dtype | None:
        """The half-precision dtype that its kernels computed with, or None."""
        used = (self.output.dtype, self.inputs.dtype, self.autocast)
        return next((dtype for dtype in HALF if dtype in used), None)

    @property
    def is_coarse(self) -> bool:
        """Whether its kernels may have used TF32 products: float32 with three digits."""
        return self.output.is_cuda and self.output.dtype == torch.float32 and tf32_is_allowed(not self.one_step)

    def output_was_changed(self) -> bool:
        """Whether something wrote into its output or one of its inputs since.

        Raises:
            RefusalError: if it was an input or a weight.
        """
        if not all(torch.equal(weight, copy) for weight, copy in self.copies):
            raise RefusalError(f"{self.name}: a hook changes its weights within the backward pass, before its sweep")
        changed = False
        for tensor, version, what in self.versions:
            if version_of(tensor) != version:
                if what != "output":
                    raise RefusalError(
                        f"{self.name}: its {what} was changed in place after the call, before the backward pass"
                    )
                changed = True
        return changed


def tf32_is_allowed(by_cudnn: bool) -> bool:
    """Whether a GPU may make float32 products with three digits.

    Args:
        by_cudnn: by cuDNN as well, which runs whole layers; a cell is made of other products.
    """
    layers = by_cudnn and torch.backends.cudnn.enabled
    of_layers = torch.backends.cudnn.rnn.fp32_precision  # type: ignore[attr-defined]
    return "tf32" in (torch.backends.cuda.matmul.fp32_precision, of_layers if layers else "")


def has_late_hooks(weight: Tensor) -> bool:
    """Whether a hook is called as soon as the weight's gradient is there, within the backward pass."""
    return bool(getattr(weight, "_post_accumulate_grad_hooks", None))


def version_of(tensor: Tensor) -> int:
    """How often a tensor was written into; an inference tensor does not count that."""
    return -1 if tensor.is_inference() else tensor._version


def states_of(value: Any) -> tuple[Tensor, ...]:
    """A state as a tuple: (h,), (h, c) or nothing."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def arguments_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Tensor, ...]]:
    """The input and the initial states of a call.

    Raises:
        RefusalError: if it has arguments that the library's modules do not have.
    """
    if unknown := sorted(set(kwargs) - {"input", "hx"}):
        raise RefusalError(f"{name} was called with {', '.join(unknown)}, which PyTorch's own module does not know")
    given = args[0] if args else kwargs["input"]
    return given, states_of(args[1] if len(args) > 1 else kwargs.get("hx"))


def results_of(watched: WatchedModule, result: Any) -> tuple[Any, tuple[Tensor, ...]]:
    """The output (packed or not) and the new states of a call.

    Raises:
        RefusalError: if a hook has made something else of what the library's module returns.
    """
    states = states_of(result if watched.one_step else result[1] if len(result) == 2 else None)
    expected = len(CELLS[watched.cell].states)
    if len(states) != expected or not all(isinstance(state, Tensor) for state in states):
        raise RefusalError(
            f"{watched.name} did not return what PyTorch's own module returns: a forward hook changed it"
        )
    return (states[0] if watched.one_step else result[0]), states


def captured(
    watched: WatchedModule,
    module: nn.Module,
    number: int,
    given: Any,
    initial: tuple[Tensor, ...],
    output: Any,
) -> Call:
    """Keep what a call read and gave, without its graph."""
    stack, layout = stack_of(module, watched), layout_of(module, given)
    inputs = layout.time_first(data_of(given).detach())
    rows, batch = stack.layers * stack.directions, inputs.shape[1]
    if initial:
        states = [layout.state(state.detach()) for state in initial]
        states = [state.reshape(rows, batch, width) for state, width in zip(states, stack.state_widths, strict=True)]
    else:
        states = [inputs.new_zeros(rows, batch, width) for width in stack.state_widths]
    weights, kept = flat_weights(module), data_of(output).detach()
    written = [(data_of(given), "input"), *((state, "initial state") for state in initial), (kept, "output")]
    written += [(weight, "weight") for weight in weights]
    device = kept.device.type
    casting = torch.is_autocast_enabled(device) and kept.dtype != torch.float64
    return Call(
        watched.name,
        number,
        stack,
        layout,
        watched.one_step,
        inputs,
        tuple(states),
        layout.time_first(kept),
        weights,
        [(tensor.detach(), version_of(tensor), what) for tensor, what in written],  # detached: the same counter
        watched.module,
        autocast=torch.get_autocast_dtype(device) if casting else None,
        copies=[(weight, weight.detach().clone()) for weight in weights if has_late_hooks(weight)],
    )
