"""Recordings, runs and lenses in a notebook: `show(...)` draws the network and its figures in the cell's output."""

from app.notebook.show import show

__all__ = ["show"]
