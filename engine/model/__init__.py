"""The network: embedding, recurrent layers, output layers, and its initial weights."""

from engine.model.initialization import build
from engine.model.network import RecurrentNetwork

__all__ = ["RecurrentNetwork", "build"]
