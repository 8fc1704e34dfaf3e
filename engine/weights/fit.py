"""Which of a file's weights a network can start from, and which of its own are drawn anew, and why. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.parameters import parameter_shapes
from engine.weights.file import WeightsError, WeightsFile
from engine.weights.module import NAMED, RecurrentModule

LAYER_SETTINGS = ("cell", "hidden_size", "num_layers", "bidirectional")
"""What has to agree for a recurrent module's weights to be taken."""


@dataclass(frozen=True, eq=False)
class StartWeights:
    """The weights from which a run starts.

    Args:
        name: of the file that they are from.
        packed: those that are taken, as a safetensors file, with the network's own names.
        taken: {name in the network: name in the file}. zero: biases that are 0, because the file's module has none.
        drawn: {name in the network: why it is drawn anew}, as a part of a sentence.
        remarks: sentences on what the file does not say.
    """

    name: str
    packed: bytes
    taken: Mapping[str, str]
    zero: tuple[str, ...]
    drawn: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """True if nothing is drawn anew."""
        return not self.drawn

    def __str__(self) -> str:
        count = len(self.taken)
        said = [f"The run starts from {count} weights and biases of {self.name}." if count > 1 else
                f"The run starts from {next(iter(self.taken))} of {self.name}."]  # fmt: skip
        if self.zero:
            said.append(f"{', '.join(self.zero)}: 0, because the file's module has no biases.")
        said += [f"{name} is drawn anew: {why}." for name, why in self.drawn.items()]
        return "\n".join([*said, *self.remarks])


def settings_that_fit(file: WeightsFile, experiment: Experiment) -> dict[str, Any]:
    """The settings that make an experiment's network one for which a file has weights.

    The input weights are used where the file's input size is that of the task, or can be that of an embedding.
    """
    module = _chosen(file, experiment)
    settings: dict[str, Any] = {name: getattr(module, name) for name in LAYER_SETTINGS}
    task = experiment.definition
    if task.inputs == "symbols" and module.input_size != experiment.input_size:
        settings["embedding_size"] = 0 if module.input_size == task.input_size else module.input_size
    if module.num_layers == 1 and experiment.dropout:
        settings["dropout"] = 0.0
    upper = {name.split(".")[1] for name in file.tensors if name.startswith("upper.") and name.count(".") == 2}
    return settings | ({"output_layers": len(upper)} if module.prefix in ("recurrent.", "encoder.") else {})


def fit(file: WeightsFile, experiment: Experiment) -> StartWeights:
    """Take from a file what this experiment's network can use.

    Raises:
        WeightsError: if its recurrent module has another cell, size, number of layers or directions.
    """
    shapes, tensors = parameter_shapes(experiment), file.tensors
    sources: dict[str, str] = {}
    zero: list[str] = []
    drawn: dict[str, str] = {}
    remarks: list[str] = []
    for stack, module in _stacks(file, experiment):
        own = {name: shape for name, shape in shapes.items() if name.startswith(f"{stack}.")}
        if module is None:
            drawn |= dict.fromkeys(own, f"{file.name} has no second recurrent module of this kind")
            continue
        _check(file, module, experiment, stack)
        for name, shape in own.items():
            source = f"{module.prefix}{name.removeprefix(f'{stack}.')}"
            if source not in tensors:
                zero.append(name)
            elif tensors[source].shape == shape:
                sources[name] = source
            else:
                drawn[name] = f"{source} is {_shape(tensors[source].shape)}, and {_shape(shape)} is needed"
    if CELLS[experiment.cell].uses_nonlinearity:
        remarks.append(f"The file does not say which activation its cells have: {experiment.nonlinearity} is taken.")
    others = {name: each for name, each in tensors.items() if not NAMED.fullmatch(name)}
    for name, shape in shapes.items():
        if name in sources or name in zero or name in drawn:
            continue
        layer, _, kind = name.rpartition(".")
        beside = sources.get(f"{layer}.weight", "").removesuffix("weight") + kind  # a bias from where its weight is
        source, why = _source(name, shape, others, beside)
        if source:
            sources[name] = source
            del others[source]
        else:
            drawn[name] = why
    values = {name: tensors[source] for name, source in sources.items()}
    values |= {name: np.zeros(shapes[name], np.float32) for name in zero}
    return StartWeights(file.name, safetensors.numpy.save(values), sources, tuple(zero), drawn, tuple(remarks))


def _chosen(file: WeightsFile, experiment: Experiment) -> RecurrentModule:
    """The module that says what the network is: one that agrees with the experiment, else the first.

    Of an encoder-decoder it is what is called encoder: the decoder reads one way, whatever the encoder does.
    """
    if experiment.rnn_type == "encoder_decoder":
        encoders = [each for each in file.modules if "encoder" in each.prefix]
        if encoders:
            return encoders[0]
    agreeing = (each for each in file.modules if _agrees(each, experiment))
    return next(agreeing, file.modules[0])


def _agrees(module: RecurrentModule, experiment: Experiment, stack: str = "") -> bool:
    return all(getattr(module, name) == needed for name, needed in _needed(experiment, stack).items())


def _needed(experiment: Experiment, stack: str) -> dict[str, Any]:
    """The LAYER_SETTINGS of one recurrent module of the network; a decoder reads one way."""
    needed = {name: getattr(experiment, name) for name in LAYER_SETTINGS}
    return needed | ({"bidirectional": False} if stack == "decoder" else {})


def _check(file: WeightsFile, module: RecurrentModule, e: Experiment, stack: str) -> None:
    needed = _needed(e, stack)
    differing = [name for name in LAYER_SETTINGS if getattr(module, name) != needed[name]]
    if differing:
        theirs, ours = (", ".join(f"{name} {of[name]}" for name in differing) for of in (vars(module), needed))
        raise WeightsError(f"The weights of {file.name} are of a network with {theirs}, and this one has {ours}.")


def _stacks(file: WeightsFile, experiment: Experiment) -> Iterator[tuple[str, RecurrentModule | None]]:
    """The recurrent modules of the network, each with the file's module for it."""
    if experiment.rnn_type != "encoder_decoder":
        yield "recurrent", _chosen(file, experiment)
        return
    stacks = ("encoder", "decoder")
    agreeing = {stack: [each for each in file.modules if _agrees(each, experiment, stack)] for stack in stacks}
    named = {stack: [each for each in found if stack in each.prefix] for stack, found in agreeing.items()}
    encoders = agreeing["encoder"] or list(file.modules[:1])
    decoders = [each for each in agreeing["decoder"] if each != encoders[0]]
    for stack, found in (("encoder", encoders), ("decoder", decoders)):
        yield stack, named[stack][0] if all(named.values()) else next(iter(found), None)


def _source(name: str, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray], beside: str) -> tuple[str, str]:
    """The name in the file of a weight that is in no recurrent module; or "" and why there is none.

    By its name, else by that of its neighbour, else the only one of its shape whose name ends alike.
    """
    for each in (name, beside):
        if each in tensors and tensors[each].shape == shape:
            return each, ""
    ending = name.rpartition(".")[2]
    fitting = [
        each for each, values in tensors.items()
        if values.shape == shape and each.rpartition(".")[2] == ending
    ]  # fmt: skip
    if len(fitting) == 1:
        return fitting[0], ""
    if fitting:
        return "", f"several of the file's are {_shape(shape)}: {', '.join(fitting[:4])}"
    there = [f"{each} {_shape(values.shape)}" for each, values in tensors.items()
             if values.ndim == len(shape) and each.rpartition(".")[2] == ending]  # fmt: skip
    has = f"; it has {', '.join(there[:4])}" if there else ""
    return "", f"the file has none that is {_shape(shape)}{has}"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
