"""Weights that an older program wrote fit into the network of their experiment, which then says the same."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.torch
import torch

from engine.experiment import Experiment
from engine.model import build
from engine.tasks import probe
from tests.compatibility import cases

PATHS = sorted((cases.DATA / "weights").glob("*.safetensors"))


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_stored_weights_give_the_stored_outputs(path):
    stored = cases.read_json(path.with_suffix(".json"))
    weights = safetensors.torch.load(path.read_bytes())
    assert {name: list(value.shape) for name, value in weights.items()} == stored["shapes"]
    experiment = Experiment.from_dict(stored["experiment"])
    network = build(experiment.replace(seed=experiment.seed + 1))  # other initial weights: nothing of them may stay
    network.load_state_dict(weights)
    with torch.no_grad():
        outputs = network.eval()(probe(experiment)).numpy()
    expected = np.array(stored["outputs"])
    np.testing.assert_allclose(outputs[:, : expected.shape[1]], expected, rtol=1e-4, atol=1e-6)
