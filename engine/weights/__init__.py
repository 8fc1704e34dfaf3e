"""Weights of a network that was trained elsewhere, as the start of a run: read, and fitted to an experiment. No torch.

`engine.weights.reading` opens a file; `settings_that_fit` says which network has such layers, and `fit` which of the
weights it can use.
"""

from engine.weights.file import SUFFIXES, WeightsError, WeightsFile
from engine.weights.fit import StartWeights, fit, settings_that_fit

__all__ = ["SUFFIXES", "StartWeights", "WeightsError", "WeightsFile", "fit", "settings_that_fit"]
