"""Recordings: the frames of a run as named columns, saved without pickle. No torch."""

from engine.recording.recording import Recording, RecordingError

__all__ = ["Recording", "RecordingError"]
