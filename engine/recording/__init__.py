"""A run on disk: frames and their run as named columns, without pickle. No torch."""

from engine.recording.recording import Recording, RecordingError

__all__ = ["Recording", "RecordingError"]
