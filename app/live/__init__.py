"""The live view: a component with the live figures, the messages of its socket, and its JavaScript in parts."""

from app.live.assets import script

__all__ = ["script"]
