"""The network: embedding, recurrent layers, output layers, and how its weights begin."""

from engine.model.network import RecurrentNetwork, build

__all__ = ["RecurrentNetwork", "build"]
