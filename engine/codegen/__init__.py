"""Export a run as a self-contained PyTorch script. No torch."""

from engine.codegen.own.writer import ScriptError
from engine.codegen.script import script

__all__ = ["ScriptError", "script"]
