"""Why a run has ended or a request has no answer, in a sentence for whoever asked. No torch."""

from __future__ import annotations

NO_MEMORY = (
    "there was not enough memory. Choose shorter sequences, smaller batches, or fewer units; what was shown last stays"
)
ALLOCATORS = ("can't allocate memory", "not enough memory", "out of memory")
"""How PyTorch's allocators say it: on the CPU they raise a plain RuntimeError."""
KILLED_TWICE = (
    "This run's worker process ended twice at about step {step:,}, so the run is not started again. Most often that "
    "means too little memory: choose shorter sequences, smaller batches, or fewer units."
)
KILLED_TWICE_TOGETHER = (
    "The worker process of some networks ended twice at the same place, so they are not started again. Most often that "
    "means too little memory: choose fewer networks, or smaller ones."
)


def reason_of(error: Exception) -> str:
    """What was wrong, to stand after a colon, without a full stop."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in ALLOCATORS):
        return NO_MEMORY
    return f"{type(error).__name__}: {error}".rstrip(".")
