"""The live view: one component that owns the live figures, what its socket sends, and its JavaScript in parts."""

from app.live.assets import script

__all__ = ["script"]
