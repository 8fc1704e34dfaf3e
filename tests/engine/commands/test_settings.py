"""`settings` lists what `train name=value` accepts, in the way it is typed."""

from __future__ import annotations

import dataclasses

from engine.__main__ import main
from engine.commands.train import _setting
from engine.experiment import Experiment


def listed(capsys, *words: str) -> list[str]:
    assert main(["settings", *words]) == 0
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]


def test_every_setting_stands_there_as_it_can_be_typed(capsys):
    lines = [line.split(" ")[0] for line in listed(capsys)]
    typed = dict(_setting(line) for line in lines if not line.startswith("task_options="))
    assert Experiment(**typed) == Experiment()
    assert len(lines) == len(dataclasses.fields(Experiment))


def test_words_choose_among_them(capsys):
    assert [line.split("=")[0] for line in listed(capsys, "bsz", "max_norm")] == ["batch_size", "clip_threshold"]


def test_none_is_a_choice_of_some_settings_and_nothing_for_others():
    assert _setting("clip=none") == ("clip", "none")
    assert _setting("forget_bias=none") == ("forget_bias", None)
