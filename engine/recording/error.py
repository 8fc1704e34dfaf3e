"""What a file is said to be that cannot be opened."""

INCONSISTENT = "This recording is damaged: its numbers do not fit together."
"""Of valid arrays that fit no network, which shows only when they are drawn."""


class RecordingError(ValueError):
    """A file that is not a recording, or is damaged; the message says what is wrong."""
