"""The numbers of every task, RNN type and cell are those that an older program measured."""

from __future__ import annotations

import pytest

from tests.compatibility import cases

STORED = cases.stored_rows()
RELATIVE, ABSOLUTE = 1e-4, 1e-12


def representative() -> list[tuple[str, str, str, int]]:
    """Return one cell for each task and RNN type, the cells in turn."""
    keys = list(STORED)
    kinds, cells = (list(dict.fromkeys(key[part] for key in keys)) for part in (slice(0, 2), 2))
    chosen = {(*kind, cells[number % len(cells)]) for number, kind in enumerate(kinds)}
    return [key for key in keys if key[:3] in chosen]


def differences(key: tuple[str, str, str, int]) -> list[str]:
    """Measure one network anew; say what is not as it was stored."""
    differing = []
    for was, now in zip(STORED[key], cases.table_rows(*key), strict=True):
        where = f"{', '.join(map(str, key[:3]))}, step {was['step']}"
        same = {name: was[name] == now[name] for name in (*cases.TASK_COLUMNS, "step", *cases.TEXT_COLUMNS)}
        for name in cases.NUMBER_COLUMNS:
            same[name] = now[name] == pytest.approx(was[name], rel=RELATIVE, abs=ABSOLUTE, nan_ok=True)
        if now["verdict"] == "untrained":  # a kind that came later
            same["verdict"] = was["verdict"] in ("healthy", "rising")
        if was["task"] in cases.READ_ELSEWHERE:
            same |= {"ratio": True, "verdict": True}
        differing += [f"{where}: {name} was {was[name]}, is {now[name]}" for name, equal in same.items() if not equal]
    return differing


def assert_as_stored(keys: list[tuple[str, str, str, int]]) -> None:
    differing = [text for key in keys for text in differences(key)]
    assert not differing, f"{len(differing)} numbers differ:\n" + "\n".join(differing)


def test_the_representative_part_has_every_task_type_and_cell():
    chosen = representative()
    for part in (slice(0, 2), 0, 1, 2):
        assert {key[part] for key in chosen} == {key[part] for key in STORED}
    assert len(chosen) < len(STORED) / 5


def test_a_representative_part_is_as_it_was_stored():
    assert_as_stored(representative())


@pytest.mark.full
def test_every_task_type_and_cell_is_as_it_was_stored():
    assert_as_stored(list(STORED))
