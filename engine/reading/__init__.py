"""Files of somebody's own are read in processes of their own, with limits, so that nobody else has to wait for them."""

from engine.reading.reading import Reading

__all__ = ["Reading"]
