"""The recurrent layers of an experiment: PyTorch's own where it has the cell, else layers that run the cell's step."""

from __future__ import annotations

from typing import Any

from torch import nn

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.layers.step_layers import StepLayers
from engine.parameters import in_library

RecurrentLayers = nn.RNNBase | StepLayers


def make_layers(experiment: Experiment, input_size: int, reads_both_ways: bool | None = None) -> RecurrentLayers:
    """Build the recurrent layers of an experiment. Draws weights from torch's global generator, as PyTorch does.

    Args:
        reads_both_ways: False for a decoder; None: as the experiment says.
    """
    e, cell, shape = experiment, CELLS[experiment.cell], (input_size, experiment.hidden_size, experiment.num_layers)
    both = e.bidirectional if reads_both_ways is None else reads_both_ways
    options: dict[str, Any] = {"bidirectional": both, "dropout": e.dropout}
    if cell.uses_nonlinearity:
        options["nonlinearity"] = e.nonlinearity
    if in_library(e):
        assert cell.torch_layer is not None
        return getattr(nn, cell.torch_layer)(*shape, **options)
    return StepLayers(cell, *shape, **options)
