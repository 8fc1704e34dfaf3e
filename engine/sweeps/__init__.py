"""Sweeps: many experiments trained in short stretches, by processes of this machine or wherever stretches can go."""
