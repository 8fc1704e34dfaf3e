"""A run written as one PyTorch script that needs nothing of ours. No torch."""

from engine.codegen.script import script

__all__ = ["script"]
