"""The parameters of a network by PyTorch's names, without building it. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cells import CELLS
from engine.tasks import task_of

if TYPE_CHECKING:
    from engine.experiment import Experiment

LIBRARY_NONLINEARITIES = ("tanh", "relu")
"""The activations of `torch.nn.RNN`."""


def in_library(experiment: Experiment) -> bool:
    """True if PyTorch has compiled code for the experiment's cell."""
    cell = CELLS[experiment.cell]
    return cell.torch_layer is not None and (
        not cell.uses_nonlinearity or experiment.nonlinearity in LIBRARY_NONLINEARITIES
    )


def parameter_shapes(experiment: Experiment) -> dict[str, tuple[int, ...]]:
    """{name: shape} of all parameters, in the order of the network's `named_parameters`."""
    e, task = experiment, task_of(experiment)
    shapes: dict[str, tuple[int, ...]] = {}
    if e.learned_start:
        for state in CELLS[e.cell].states if CELLS[e.cell].is_recurrent else ():
            shapes[f"start_{state}"] = (e.num_layers * e.directions, e.hidden_size)
    if e.embedding_size:
        shapes["embedding.weight"] = (task.input_size, e.embedding_size)
    if e.rnn_type == "encoder_decoder":
        if e.embedding_size:
            shapes["decoder_embedding.weight"] = (task.output_size, e.embedding_size)
        shapes |= _recurrent(e, "encoder", e.input_size)
        shapes |= _recurrent(e, "decoder", e.embedding_size or task.output_size, directions=1)
    else:
        shapes |= _recurrent(e, "recurrent", e.input_size)
    size = e.readout_size
    for layer in range(e.output_layers):
        shapes[f"upper.{layer}.weight"] = (e.hidden_size, size)
        shapes[f"upper.{layer}.bias"] = (e.hidden_size,)
        size = e.hidden_size
    if not e.tied_weights:
        shapes["head.weight"] = (task.output_size, size)
    return shapes | {"head.bias": (task.output_size,)}


def parameter_count(experiment: Experiment) -> int:
    """Number of scalar parameters, both bias vectors of PyTorch's layers included."""
    return sum(_product(shape) for shape in parameter_shapes(experiment).values())


def _recurrent(e: Experiment, name: str, input_size: int, directions: int = 0) -> dict[str, tuple[int, ...]]:
    """Parameters of one recurrent module, named as in PyTorch's layers; `directions` 0: as the experiment says."""
    directions = directions or e.directions
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(e.num_layers):
        for suffix in ("", "_reverse")[:directions]:
            for parameter, shape in CELLS[e.cell].shapes(input_size, e.hidden_size).items():
                shapes[f"{name}.{parameter}_l{layer}{suffix}"] = shape
        input_size = e.hidden_size * directions
    return shapes


def _product(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) == 1 else shape[0] * shape[1]
