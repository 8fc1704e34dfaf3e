"""The cell states over time."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.figures import FIGURES
from engine.frame import RunInfo
from tests.app.figures.conftest import CASES, NOT_FINITE, drawn, experiment_of, over, seen, template

CARRYING = [case for case in CASES if RunInfo.of(experiment_of(case)).memory_symbol == "c"]


@over([case for case in CARRYING if case not in NOT_FINITE])
def test_the_cell_states_are_drawn_like_the_hidden_ones(case):
    info, frame, curves = seen(case)
    swapped = dataclasses.replace(frame, hidden=frame.cell)
    heat, same = drawn(case, "cell")["data"][0], FIGURES["hidden"].patch(info, swapped, curves)
    assert heat["zmax"] == same["data.0.zmax"] and np.shape(heat["z"]) == np.shape(
        template(case, "hidden")["data"][0]["z"]
    )
    assert np.array_equal(heat["z"][0], same["data.0.z"].values[0].astype(np.float32) * heat["zmax"] / 127)
    assert f"{heat['zmax']:g}" in FIGURES["cell"].readout(info, frame)


def test_there_are_cases_with_cell_states():
    assert len(CARRYING) > 10
