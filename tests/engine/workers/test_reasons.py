"""Why a run has ended, in a sentence; the error of an allocation that fails is PyTorch's own."""

from __future__ import annotations

import pytest
import torch

from engine.workers.reasons import NO_MEMORY, reason_of


def test_too_little_memory_is_said_in_plain_words():
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**48)
    assert reason_of(refused.value) == NO_MEMORY and reason_of(MemoryError()) == NO_MEMORY


def test_what_is_unexpected_is_named():
    assert reason_of(KeyError("h_0")) == "KeyError: 'h_0'"
    assert reason_of(ValueError("It ends well.")) == "ValueError: It ends well"
