"""All that is kept stays within one limit: whoever has more than an equal part gives way, the oldest first."""

from __future__ import annotations

import gc

from engine.recording.memory_budget import MemoryBudget


class Share:
    """So many bytes, of which half can be dropped as long as more than `least` are left."""

    def __init__(self, budget: MemoryBudget, size: int, grown: float = 0.0, least: int = 1) -> None:
        self.size, self.grown, self.least = size, grown, least
        budget.enter(self)

    def thin(self) -> bool:
        if self.size <= self.least:
            return False
        self.size = max(self.least, self.size // 2)
        return True


def sizes(*shares: Share) -> list[int]:
    return [share.size for share in shares]


def test_nothing_is_thinned_within_the_limit():
    budget = MemoryBudget(100)
    shares = [Share(budget, 60), Share(budget, 40)]
    budget.settle()
    assert sizes(*shares) == [60, 40] and budget.bytes == 100


def test_the_oldest_that_has_more_than_an_equal_part_gives_way_and_small_ones_never():
    budget = MemoryBudget(100)
    small, old, new = Share(budget, 20, grown=1), Share(budget, 48, grown=2), Share(budget, 48, grown=3)
    budget.settle()
    assert sizes(small, old, new) == [20, 24, 48]
    old.size = 33  # an equal part
    budget.settle()
    assert sizes(small, old, new) == [20, 33, 24]


def test_one_that_has_all_gives_way_until_there_is_room():
    budget = MemoryBudget(100)
    large, small = Share(budget, 1000), Share(budget, 30)
    budget.settle()
    assert sizes(large, small) == [62, 30]


def test_what_cannot_be_thinned_is_counted_and_the_others_make_room_for_it():
    budget = MemoryBudget(100)
    fixed, other = Share(budget, 90, least=90), Share(budget, 64, grown=5)
    budget.settle()
    assert sizes(fixed, other) == [90, 8]


def test_what_nobody_holds_is_forgotten():
    budget = MemoryBudget(100)
    share = Share(budget, 60)
    assert budget.bytes == 60
    del share
    gc.collect()
    assert budget.bytes == 0
