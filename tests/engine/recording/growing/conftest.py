"""Looks to be written and read: those of runs of our own, as somebody else's model is seen."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

from engine.experiment import Experiment
from engine.frame import Diagnosis, RunInfo
from engine.recording.columns import leaves
from engine.recording.growing import FoundMistake, RecordedLook, RecordedModule
from engine.training import Trainer
from tests.bare import bare_chain, bare_look

SMALL = {"hidden_size": 5, "batch_size": 4}
VERDICT = Diagnosis("vanished", "Almost nothing arrives.", {"ratio": 1e-9, "half_life": np.inf}, {}, "nn.LSTM(3, 5)")


@cache
def module_look(name: str = "rnn", **settings: object) -> RecordedModule:
    """One module, with all readings that a look can have."""
    experiment = Experiment(**{"seq_len": 7, **SMALL, **settings})
    frame = Trainer(experiment).frame(["spectrum"])
    look = dataclasses.replace(bare_look(frame), diagnosis=VERDICT)
    chain = dataclasses.replace(bare_chain(RunInfo.of(experiment)), cuts=(3,))
    return RecordedModule(name=name, chain=chain, look=look, links=("state: zeros",), proof=3e-7)


def recorded(step: int, *modules: RecordedModule) -> RecordedLook:
    """A look with a mistake, a refusal and its cost."""
    mistake = FoundMistake("unread", "head", "Nothing reads it.", "Read it.")
    every = modules or (module_look(cell="lstm"), module_look("decoder.rnn", cell="gru", bidirectional=True))
    now = tuple(dataclasses.replace(each, look=dataclasses.replace(each.look, step=step)) for each in every)
    said = {
        "mistakes": (mistake,),
        "refusals": {"*": "no reason"},
        "story": ("It grew.",),
        "cost": f"{step} looks",
        "loss": 0.5 / (step + 1),
    }
    return RecordedLook(step=step, modules=now, **said)


def assert_same(one: RecordedLook, other: RecordedLook) -> None:
    """Equal to the last bit."""
    assert (one.step, one.mistakes, dict(one.refusals), one.story, one.cost, one.loss) == (
        other.step, other.mistakes, dict(other.refusals), other.story, other.cost, other.loss,
    )  # fmt: skip
    assert [each.name for each in one.modules] == [each.name for each in other.modules]
    for mine, theirs in zip(one.modules, other.modules, strict=True):
        assert (mine.chain, mine.links, mine.proof) == (theirs.chain, theirs.links, theirs.proof)
        assert mine.look.diagnosis == theirs.look.diagnosis
        values, others = dict(leaves(mine.look)), dict(leaves(theirs.look))
        assert set(values) == set(others)
        for path, value in values.items():
            np.testing.assert_array_equal(value, others[path], path)
            assert np.asarray(value).dtype == np.asarray(others[path]).dtype, path
