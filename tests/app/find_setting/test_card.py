"""The field "Find a setting": everything is found by its names, and set where it is found."""

from __future__ import annotations

import pytest

from app import controls, links
from app.find_setting.entries import entries
from engine.experiment import CHOICES, LIVE_SETTINGS
from engine.setting_synonyms import ALSO, VALUES_ALSO
from tests.app.conftest import move, opened, run, slot, warnings, widgets

FOUND = "found_"


def find(page, key):
    """Somebody types a name and takes what is offered."""
    return move(page, "find_setting", key)


def test_every_setting_is_found_by_its_own_name_and_by_others(pool):
    opened()
    found = entries(controls.ALL)
    assert {key for key, entry in found.items() if not entry.value} == set(links.WIDGETS)
    assert all(name in found[name].words for name in links.WIDGETS)
    assert len({entry.words for entry in found.values()}) == len(found)
    assert ALSO.keys() <= set(links.WIDGETS) and all(value in CHOICES[name] for name, value in VALUES_ALSO)
    for typed, key in {"lr": "learning_rate", "nhid": "hidden_size", "BPTT": "tbptt", "betas": "optimizer"}.items():
        assert typed in found[key].words
    assert "AdamW" in found["optimizer=adamw"].words and "CosineAnnealingLR" in found["schedule=cosine"].words


def test_nothing_stands_there_before_a_search(pool):
    assert not [key for key in widgets(opened(unfolded=False)) if key and key.startswith(FOUND)]


@pytest.mark.parametrize(
    ("key", "value"),
    [("learning_rate", 0.00042), ("hidden_size", 33), ("weight_decay", 0.01), ("train_set", 3), ("bidirectional", True),
     ("num_layers", 2), ("init", "orthogonal"), ("target_loss", 0.5), ("seq_len", 33)],
)  # fmt: skip
def test_what_was_found_is_set_there_and_shows_in_its_section(pool, key, value):
    page = find(opened(unfolded=False), key)
    move(page, FOUND + key, value)
    assert getattr(slot().experiment, key) == value and warnings(page) == []
    assert len(pool.runs) == (1 if key in LIVE_SETTINGS else 2)
    for group in controls.GROUPS:
        page.session_state[group.key] = True
    keys = widgets(run(page))
    assert keys[key].value == keys[FOUND + key].value == value


def test_a_value_with_a_name_is_set_at_once(pool):
    page = find(opened(), "optimizer=adamw")
    assert slot().experiment.optimizer == "adamw" and page.query_params["optimizer"] == "adamw"
    assert widgets(page)["find_setting"].value == "optimizer"  # the field goes on to name the setting alone
    assert widgets(page)[FOUND + "optimizer"].value == "adamw"
    find(page, "loss=huber")  # of a network that says symbols: it is shown, and not set
    assert slot().experiment.loss == "mse" and warnings(page) == [] and widgets(page)[FOUND + "loss"].value == "mse"
    find(page, "rnn_type=encoder_decoder")
    assert slot().experiment.rnn_type == "encoder_decoder" and warnings(page) == []


def test_a_change_elsewhere_shows_in_what_was_found(pool):
    page = find(opened(), "hidden_size")
    move(page, "hidden_size", 64)
    assert widgets(page)[FOUND + "hidden_size"].value == 64
    find(page, "clip_threshold")
    widgets(page)["clip_threshold"].set_value(10.0)
    page.run()  # once: a live setting has only a part drawn again, unless it is shown twice
    assert page.title and widgets(page)[FOUND + "clip_threshold"].value == 10.0


def test_what_has_no_effect_says_why(pool):
    page = find(opened(), "schedule_steps")
    assert widgets(page)[FOUND + "schedule_steps"].disabled
    assert "Without effect now: the learning rate follows no schedule." in [each.value for each in page.caption]
    assert not widgets(move(page, "schedule", "step"))[FOUND + "schedule_steps"].disabled


def test_a_field_that_was_emptied_shows_the_value_again_unless_it_may_be_empty(pool):
    page = find(opened(), "weight_decay")
    move(page, FOUND + "weight_decay", None)
    assert widgets(page)[FOUND + "weight_decay"].value == 0.0 and warnings(page) == []
    page = find(opened(preset="remember-lstm"), "forget_bias")
    move(page, FOUND + "forget_bias", None)
    assert slot().experiment.forget_bias is None


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [("learning_rate", 0.003, 0.001), ("learning_rate", 20.0, 10.0), ("hidden_size", 33, 1), ("weight_decay", 0.0, 0.1),
     ("forget_bias", None, 1.0), ("init_gain", 2.5, 1.0)],
)  # fmt: skip
def test_plus_and_minus_change_the_first_digit(name, value, step):
    assert controls.step_of(name, value) == pytest.approx(step)


def test_what_a_link_hides_is_not_found(pool):
    page = opened(hide="cell~learning_rate")
    assert not {"Cell", "Learning rate"} & {
        words.partition(" · ")[0] for words in widgets(page)["find_setting"].options
    }


def test_a_group_of_which_all_is_hidden_is_not_there(pool):
    start = next(group for group in controls.GROUPS if group.slug == "start")
    page = opened(hide="~".join(control.key for control in start.controls))
    titles = [each.label for each in page.expander]
    assert start.title not in titles and controls.GROUPS[0].title in titles
    assert slot().experiment.seed == 0


def test_what_does_not_fit_the_others_can_be_set_back_although_it_has_no_effect(pool):
    page = opened(unfolded=True)
    page.session_state["loss"] = "huber"
    page = run(page)
    assert len(warnings(page)) == 1 and not widgets(page)["loss"].disabled
    move(page, "loss", "mse")
    assert warnings(page) == [] and widgets(page)["loss"].disabled
