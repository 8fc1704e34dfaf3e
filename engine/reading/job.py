"""What a reading process is asked for. Apart from that process, which would else load itself a second time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.data import DataError

Sources = tuple[tuple[str, bytes], ...]
"""One file, or several that belong together: (name, bytes)."""


@dataclass(frozen=True)
class Job:
    """What is to be read.

    Args:
        sources: the files.
        kind: one of KINDS, or None to guess it. choices: of `engine.data.read`.
        reader: "module:function" that reads, as `engine.data:read` does.
    """

    sources: Sources
    kind: str | None
    choices: dict[str, Any]
    reader: str

    @property
    def names(self) -> str:
        """Of its files, for a sentence."""
        return ", ".join(name for name, _ in self.sources)


def cannot_be_read(job: Job, error: Exception) -> DataError:
    """What is said where the reader itself has failed."""
    says = f"{type(error).__name__}: {error}"[:300]
    return DataError(f"{job.names} cannot be read because of an error of this program, not of the file ({says}).")


def too_large(job: Job) -> DataError:
    """What is said where the memory was not enough."""
    return DataError(f"{job.names} needs more memory than one reading may have. Leave out rows or columns.")
