"""The network: embedding, recurrent layers, output layers, and how its weights begin."""

from engine.model.initialization import build
from engine.model.network import RecurrentNetwork

__all__ = ["RecurrentNetwork", "build"]
