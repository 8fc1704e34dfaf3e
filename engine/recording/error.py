"""What a file is said to be that cannot be opened."""


class RecordingError(ValueError):
    """A file that is not a recording, or is damaged; the message says what is wrong."""
