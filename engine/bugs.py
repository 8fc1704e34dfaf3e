"""Bugs that everybody writes, to be switched on: which there are, and which network can have each. No torch.

What a bug does stands in one place: in the batches (`engine.tasks.bugs`), in the network (`engine.model.bugs`) or in
the update (`engine.training.left_over`); `engine.codegen.bugs` marks its wrong line in the exported script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.cells import CELLS
from engine.tasks import Batch

NO_BUG = "none"


@dataclass(frozen=True)
class Bug:
    """One of the bugs.

    Args:
        title: what it is, in a few words.
        needs: what a network must be to have it, in words.
        fits: (an Experiment, a few sequences as they should be read) -> whether it is.
    """

    title: str
    needs: str
    fits: Callable[[Any, Batch], bool]


def _all_as_long(batch: Batch) -> bool:
    return bool((batch.lengths == len(batch.inputs)).all())


def _one_way(e: Any) -> bool:
    kind = e.rnn_type in ("many_to_one", "many_to_many") and not (e.tbptt or e.learned_start)
    return CELLS[e.cell].is_recurrent and not e.bidirectional and kind


BUGS = {
    "reverse_read_at_its_start": Bug(
        "reverse direction read at its start",
        "a network that reads both ways and gives one answer",
        lambda e, batch: e.bidirectional and e.rnn_type == "many_to_one",
    ),
    "padding_read_as_data": Bug(
        "padding read as data",
        "one answer, and sequences of different lengths",
        lambda e, batch: e.rnn_type == "many_to_one" and not _all_as_long(batch),
    ),
    "loss_on_padding": Bug(
        "loss counted on padding",
        "an answer at every step, sequences of different lengths, and a network that reads one way",
        lambda e, batch: e.rnn_type == "many_to_many" and not e.bidirectional and not _all_as_long(batch),
    ),
    "batch_and_time_swapped": Bug(
        "batch and time swapped",
        "a recurrent network that reads one way from a state of 0, sequences of one length, and no truncation",
        lambda e, batch: _one_way(e) and _all_as_long(batch),
    ),
    "softmax_twice": Bug(
        "softmax before cross-entropy",
        "outputs that are symbols",
        lambda e, batch: e.definition.outputs == "symbols",
    ),
    "gradients_not_cleared": Bug("gradients not cleared", "any network", lambda e, batch: True),
    "loss_on_the_last_step": Bug(
        "loss on the last step alone",
        "an answer at several steps, the last one among them, and sequences of one length",
        lambda e, batch: (
            e.rnn_type == "many_to_many"
            and _all_as_long(batch)
            and bool(batch.mask[-1].all())
            and bool((batch.mask.sum(0) > 1).any())
        ),
    ),
    "state_kept_between_batches": Bug(
        "state kept between shuffled batches",
        "a recurrent network that reads one way from a state of 0, sequences of one length, and no truncation",
        lambda e, batch: _one_way(e) and _all_as_long(batch),
    ),
}
"""By name, in the order in which they are offered."""
NOT_KNOWN = ("loss_on_the_last_step", "state_kept_between_batches")
"""Those that a run does not show: they may be meant."""
KNOWN_BUGS = tuple(name for name in BUGS if name not in NOT_KNOWN)
"""Those that a run shows; the verdict names them so."""
