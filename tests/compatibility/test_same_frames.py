"""The comparison of two checkouts sees every field, and a difference of one bit."""

from __future__ import annotations

import numpy as np

from engine.experiment import CHOICES, Experiment
from engine.recording import recording
from engine.training import Trainer
from tests.compatibility.same_frames import ON_DEMAND, RENAMED, SELECTION, arrays_of, first_difference, selected


def test_every_selected_experiment_is_possible_and_each_cell_meets_each_type():
    experiments = [Experiment(**settings) for settings in selected().values()]
    assert {(each.cell, each.rnn_type) for each in experiments} == {
        (cell, rnn_type) for cell in CHOICES["cell"] for rnn_type in CHOICES["rnn_type"]
    }
    assert set(SELECTION) == set(CHOICES["rnn_type"])


def test_one_bit_of_one_field_is_found(tmp_path):
    frame = Trainer(Experiment(cell="gru", hidden_size=4, seq_len=5, batch_size=4)).frame(ON_DEMAND)
    arrays = dict(arrays_of(frame))
    some = {"hidden", "gates.reset_gate", "factors.shares.kept", "spectrum.products.norm", "diagnosis.kind"}
    assert some <= set(arrays)
    old, new = tmp_path / "old.npz", tmp_path / "new.npz"
    np.savez(old, **arrays)
    np.savez(new, **arrays)
    assert first_difference(old, new) == ""
    for name in some - {"diagnosis.kind"}:
        changed = arrays[name].copy()
        changed.flat[-1] = np.nextafter(changed.flat[-1], np.inf, dtype=changed.dtype)
        np.savez(new, **arrays | {name: changed})
        assert first_difference(old, new).startswith(f"{name} differs by at most")
    np.savez(new, **arrays | {"diagnosis.kind": np.asarray("another", arrays["diagnosis.kind"].dtype)})
    assert first_difference(old, new) == f"diagnosis.kind differs: {str(arrays['diagnosis.kind'])!r}, now 'another'"
    np.savez(new, **{name: value for name, value in arrays.items() if name != "hidden"})
    assert first_difference(old, new) == "hidden is missing" and first_difference(new, old) == "hidden is new"


def test_a_renamed_field_is_compared_with_what_it_was():
    assert RENAMED == recording.RENAMED
    old, none = {"peepholes": np.arange(3)}, {"peepholes": None}
    new = {"vectors": {"weight_ch": np.arange(3)}}
    assert [name for name, _ in arrays_of(old)] == [name for name, _ in arrays_of(new)] == ["vectors.weight_ch"]
    assert not list(arrays_of(none))
