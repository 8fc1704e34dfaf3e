"""What the symbol before says of the next one, and no more."""

from __future__ import annotations

import numpy as np

from engine.data.tasks.words import frequency_losses
from engine.tasks import NO_SYMBOL


class Bigram:
    """Counts of pairs of neighbours, interpolated with how common each symbol is.

    p(b | a) = (n(a, b) + p(b)) / (n(a) + 1) with p(b) = (n(b) + 1) / (n + symbols).

    Args:
        tokens: (n,) of the trained part. symbols: how many there are.
    """

    def __init__(self, tokens: np.ndarray, symbols: int) -> None:
        self._symbols = symbols
        self.losses = frequency_losses(np.bincount(tokens, minlength=symbols))
        """(symbols,) the loss of each, in nats, if nothing before it is known."""
        self._pairs, self._counts = np.unique(tokens[:-1].astype(np.int64) * symbols + tokens[1:], return_counts=True)
        self._before = np.bincount(tokens[:-1], minlength=symbols)

    def losses_of(self, before: np.ndarray, following: np.ndarray) -> np.ndarray:
        """The loss of each symbol, in nats, given the one before; NO_SYMBOL for none. Both of one shape."""
        pairs = before.astype(np.int64) * self._symbols + following
        place = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        count = np.where(self._pairs[place] == pairs, self._counts[place], 0)
        share = (count + np.exp(-self.losses[following])) / (self._before[before] + 1.0)
        return np.where(before == NO_SYMBOL, self.losses[following], -np.log(share))
