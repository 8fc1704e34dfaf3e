"""What the lessons claim: exact claims hold here and now, trained ones in the committed table; and the measures."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from engine.__main__ import main
from engine.cells import CELLS
from engine.claims import measures, table
from engine.claims.measures import MEASURES, measure, measure_all
from engine.claims.table import Row, bounds, digest
from engine.commands.command import ExitCode
from engine.experiment import Experiment
from engine.preset import Claim, Preset, list_presets, load_preset
from engine.tasks import sample
from engine.training import Trainer
from tests.cases import for_each

PRESETS = [preset for preset in list_presets() if not preset.file]  # a teacher's own are nobody else's promise
EXACT = [(preset, claim) for preset in PRESETS for claim in preset.claims if claim.gate == "exact"]
TRAINED = [(preset, claim) for preset in PRESETS for claim in preset.claims if claim.gate == "trained"]


def named(pairs):
    return [pytest.param(*pair, id=f"{pair[0].slug}-{pair[1].measure}-{number}") for number, pair in enumerate(pairs)]


# ---- the claims there are


@for_each({"preset": PRESETS})
def test_a_lesson_says_what_to_change_next_and_what_should_happen(preset):
    assert preset.next and preset.claims
    assert preset.explains.strip().endswith((".", ".)"))
    assert preset.kind != "lesson" or preset.chapter
    for claim in preset.claims:
        assert claim.says[0].isupper() and claim.says.endswith(".")
        assert claim.measure in MEASURES or claim.gate == "shown"
    for change in preset.next:
        assert change.says[0].isupper() or change.says[0].isdigit() or change.says.startswith("tanh")
        assert preset.experiment.replace(**change.settings) != preset.experiment


def test_chapters_are_not_torn_apart():
    chapters = [preset.chapter for preset in PRESETS if preset.kind == "lesson"]
    begins = [now for before, now in zip([None, *chapters], chapters, strict=False) if now != before]
    assert len(begins) == len(set(begins))


@pytest.mark.parametrize(("preset", "claim"), named(EXACT))
def test_exact_claims_hold(preset, claim):
    assert_holds(preset, claim, claim.seeds[0])


@pytest.mark.full
@pytest.mark.parametrize(("preset", "claim"), named(EXACT))
def test_exact_claims_hold_for_all_their_seeds(preset, claim):
    for seed in claim.seeds:
        assert_holds(preset, claim, seed)


def assert_holds(preset: Preset, claim: Claim, seed: int) -> None:
    value = measure(preset, claim, seed)
    assert claim.holds(value), f"seed {seed}: {value:g}, must be {bounds(claim)}"


@pytest.mark.parametrize(("preset", "claim"), named(TRAINED))
def test_trained_claims_were_measured_as_they_stand_and_hold(preset, claim):
    values = table.values(preset, claim)
    assert len(values) == len(claim.seeds), "measure it anew: python -m engine claims --missing"
    assert all(claim.holds(value) for value in values)


def test_the_table_has_no_row_that_no_claim_asks_for():
    asked = {(preset.slug, digest(preset, claim), seed) for preset, claim in TRAINED for seed in claim.seeds}
    assert {row.key for row in table.read(table.TABLE)} == asked


# ---- bounds, rows, the table


def test_bounds_are_strict_and_refuse_what_is_not_a_number():
    claim = Claim(says="So.", gate="exact", measure="ratio", above=1, below=2)
    assert [claim.holds(value) for value in (1, 1.5, 2, math.nan)] == [False, True, False, False]
    zero = Claim(says="So.", gate="exact", measure="ratio", equals=0)
    assert zero.holds(0.0) and not zero.holds(1e-300)
    assert bounds(claim) == "above 1 and below 2" and bounds(zero) == "exactly 0"


def test_a_table_is_read_as_it_was_written(tmp_path):
    preset = load_preset("remember")
    rows = [Row.of(preset, preset.claims[1], seed, 2.3 + seed) for seed in (0, 1)]
    table.write(tmp_path / "claims.csv", rows)
    assert table.read(tmp_path / "claims.csv") == rows
    assert [row.holds for row in rows] == [True, False]
    assert table.read(tmp_path / "none.csv") == []


def test_the_digest_follows_everything_that_decides_the_value():
    preset = load_preset("remember")
    claim = preset.claims[1]
    others = [
        digest(dataclasses.replace(preset, experiment=preset.experiment.replace(hidden_size=16)), claim),
        digest(preset, dataclasses.replace(claim, steps=10)),
        digest(preset, dataclasses.replace(claim, measure="ratio")),
        digest(preset, dataclasses.replace(claim, above=0.0)),
        digest(preset, dataclasses.replace(claim, against={"cell": "gru"})),
        digest(preset, dataclasses.replace(claim, settings={"cell": "gru"})),
    ]
    assert len({digest(preset, claim), *others}) == 1 + len(others)
    assert digest(preset, dataclasses.replace(claim, says="In other words.")) == digest(preset, claim)


def test_what_is_known_is_not_measured_again():
    preset = load_preset("clip")
    claim = next(each for each in preset.claims if each.gate == "trained")
    short = dataclasses.replace(preset, claims=(dataclasses.replace(claim, steps=1, seeds=(0, 1)),))
    first, second = measure_all((short,), {}, "trained")
    marked = dataclasses.replace(first, value=-1.0)
    assert list(measure_all((short,), {marked.key: marked}, "trained")) == [marked, second]


# ---- the measures, each against another way to the same number


@pytest.fixture(scope="module")
def trainer():
    trainer = Trainer(load_preset("many-to-one").experiment.replace(steps=5))
    for _ in range(5):
        trainer.advance()
    return trainer


def test_test_loss_and_metric_are_those_of_fresh_held_out_sequences(trainer):
    batch = sample(trainer.experiment, 1024, (trainer.experiment.seed, 1), "test")
    with torch.no_grad():
        logits = trainer.model.eval()(batch)[0].double()
    rows, right = np.arange(1024), batch.targets[batch.lengths - 1, np.arange(1024)]
    chances = torch.softmax(logits, -1).numpy()[rows, right]
    assert MEASURES["test_loss"](trainer) == pytest.approx(-np.log(chances).mean(), rel=1e-5)
    assert MEASURES["test_metric"](trainer) == (logits.numpy().argmax(-1) == right).mean()


def test_padding_is_noticed_where_it_counts(trainer, monkeypatch):
    assert MEASURES["padding_changes"](trainer) < 1e-5
    whole = trainer.model.final_states  # a network that reads the answer where the array ends, not the sentence
    monkeypatch.setattr(
        trainer.model, "final_states", lambda output, lengths: whole(output, np.full_like(lengths, len(output)))
    )
    assert MEASURES["padding_changes"](trainer) > 1e-3


@pytest.mark.parametrize(("cell", "same"), [("linear", True), ("linear_signed", True), ("gru", False), ("lstm", False)])
def test_a_gate_that_reads_the_input_alone_is_the_same_for_the_same_symbol(cell, same):
    trainer = Trainer(Experiment(cell=cell, seq_len=30, hidden_size=8, batch_size=4))
    frame = trainer.frame()
    t, other = next((t, k) for t in range(30) for k in range(t) if frame.inputs[t] == frame.inputs[k])
    gate = frame.gates[CELLS[cell].retain_gate][0, 0]
    difference = MEASURES["gate_difference"](trainer)
    assert difference >= np.abs(gate[t] - gate[other]).max() and (difference < 1e-6) == same


@pytest.mark.parametrize(
    ("settings", "steps"),
    [({"cell": "linear"}, 1 + 6 + 5), ({"cell": "linear", "hidden_size": 512, "batch_size": 8}, 64),
     ({"cell": "linear", "seq_len": 20}, 20), ({"cell": "gru"}, 64), ({"cell": "feedforward"}, 1)],
)  # fmt: skip
def test_dependent_steps_are_those_of_the_way_that_is_taken(settings, steps):
    small = {"seq_len": 64, "hidden_size": 4, "batch_size": 2}
    assert MEASURES["dependent_steps"](Trainer(Experiment(**{**small, **settings}))) == steps


def test_attention_is_measured_by_its_share_and_by_its_largest_weight():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", attention="dot", hidden_size=5, batch_size=4, cell="rnn",
                   nonlinearity="identity")  # fmt: skip
    trainer = Trainer(e)
    assert 0.5 < MEASURES["around_share"](trainer) < 1.01 and 1 <= MEASURES["chosen_weight"](trainer) < 2
    with torch.no_grad():
        for stack in trainer.model.stacks:
            stack.weight_ih_l0 *= 20  # states that are told apart
    assert MEASURES["chosen_weight"](trainer) == pytest.approx(4)  # one of four letters is read alone


def test_a_comparison_is_the_quotient():
    preset = load_preset("when-what")
    claim = Claim(says="So.", gate="exact", measure="parameters", settings={"cell": "gru"}, against={"cell": "rnn"})
    alone = [measure(preset, dataclasses.replace(claim, settings={"cell": cell}, against=None), 0) for cell in
             ("gru", "rnn")]  # fmt: skip
    assert measure(preset, claim, 0) == alone[0] / alone[1]


def test_a_run_that_breaks_is_measured_where_it_broke():
    preset = load_preset("failure-nan")
    made = measure(preset, preset.claims[0], 0)
    assert 0 < made < preset.claims[0].steps


# ---- the command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "TABLE", tmp_path / "claims.csv")
    monkeypatch.setattr(table, "PARTIAL", tmp_path / "claims.partial.csv")
    return tmp_path


def test_an_interrupted_measurement_goes_on_where_it_was(folder, monkeypatch, capsys):
    asked = []

    def measured(preset, claim, seed):
        asked.append(seed)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return 2.3 if seed != 1 else 0.1

    monkeypatch.setattr(measures, "measure", measured)
    assert main(["claims", "clip"]) == ExitCode.STOPPED
    assert asked == [0, 1, 2] and [row.seed for row in table.read(table.PARTIAL)] == [0, 1]
    assert main(["claims", "clip"]) == 1  # seed 1 does not hold
    assert asked == [0, 1, 2, 2] and not table.PARTIAL.exists()
    assert [(row.seed, row.holds) for row in table.read(table.TABLE)] == [(0, True), (1, False), (2, True)]
    assert "3 of 3" in capsys.readouterr().out


def test_one_lesson_is_measured_and_the_others_rows_stay(folder, monkeypatch):
    monkeypatch.setattr(measures, "measure", lambda preset, claim, seed: 2.3)
    main(["claims", "clip"])
    before = table.read(table.TABLE)
    main(["claims", "remember"])
    after = table.read(table.TABLE)
    assert [row.preset for row in after] == ["remember"] * 3 + ["clip"] * 3 and after[3:] == before
    monkeypatch.setattr(measures, "measure", None)  # nothing is left to be measured
    assert main(["claims", "--missing", "clip"]) == 0
