"""What the bits of a network depend on besides its experiment: one thread, and numbers too small for float32 as 0."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch


def use_one_thread() -> None:
    """Compute in one thread from now on, with numbers too small for float32 as 0, as the workers of the app do."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Compute in so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[None]:
    """Compute in one thread for a while."""
    return threads(1)
