"""How a sweep's file says that it is drawn, and what its claims measure."""

from __future__ import annotations

import math

import pytest

from engine.experiment import Experiment, ExperimentError
from engine.sweeps.definition import parse
from engine.sweeps.map_claims import MEASURES, MapClaim
from engine.sweeps.success import Outcome

FILE = """
updates = 10
[axes]
cell = ["rnn", "gru"]
init_gain = [0.5, 1.0, 2.0]
seq_len = [5, 10]
[map]
title = "Gain and length"
text = "Look at the border."
x = "init_gain"
y = "seq_len"
colour = "solved"
[[claims]]
says = "The RNN learns at large gains."
measure = "success"
where = { cell = "rnn", init_gain = { from = 0.7, to = 2.0 } }
ratio = { from = 0.01, to = 10 }
above = 0.5
"""
BASE = Experiment(task="first_symbol_recall")


def test_a_file_says_how_it_is_drawn_and_what_is_seen():
    view = parse(FILE).map
    assert (view.title, view.text) == ("Gain and length", "Look at the border.")
    assert (view.x, view.y, view.colour) == ("init_gain", "seq_len", "solved")
    (claim,) = view.claims
    assert claim.where == {"cell": ("rnn",), "init_gain": (1.0, 2.0)}
    assert (claim.above, claim.below, claim.ratio) == (0.5, math.inf, (0.01, 10))


def test_what_is_drawn_changes_nothing_of_what_is_trained():
    drawn, bare = parse(FILE), parse(FILE[: FILE.index("[map]")])
    assert bare.map is None and drawn.experiments == bare.experiments


def test_without_y_it_is_a_curve():
    view = parse(FILE.replace('y = "seq_len"\n', "").replace("seq_len = [5, 10]\n", "")).map
    assert view.y is None and view.x == "init_gain"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[map]", "[plan]"), "plan must be left out"),
        (("[map]\ntitle", "[map]\nname"), r"map\.name must be left out, for the keys are title, text"),
        (('"Gain and length"', '" "'), r"map\.title must be a text, but got ' '"),
        (('text = "Look at the border."', ""), r"map\.text must be a text, but got None"),
        (('x = "init_gain"', ""), r"map\.x must be one of init_gain, seq_len, but got None"),
        (('x = "init_gain"', 'x = "cell"'), r"map\.x must be one of init_gain, seq_len"),
        (('y = "seq_len"', 'y = "init_gain"'), r"map\.y must be one of seq_len, but got 'init_gain'"),
        (('y = "seq_len"\n', ""), r"axes must be such that each is map\.x, map\.y or cell, but got \['seq_len'\]"),
        (('"solved"', '"accuracy"'), r"map\.colour must be one of solved, loss, ratio"),
        (('cell = ["rnn", "gru"]', 'cell = ["rnn"]\nnum_layers = [1, 2]'), r"axes must be such .* \['num_layers'\]"),
        (("above = 0.5", ""), "claims must be with above or below"),
        (("above = 0.5", 'above = "0"'), r"claims\.above must be a number"),
        (("above = 0.5", "equals = 0.5"), r"claims\.equals must be left out"),
        (('"success"', '"luck"'), r"claims\.measure must be one of success, middle, reach, ratio"),
        (('{ cell = "rnn"', '{ cell = "lstm"'), r"claims\.where\.cell must be one of the axis's values \(rnn, gru\)"),
        (("from = 0.7", "from = 3"), r"claims\.where\.init_gain must be one of the axis's values \(0\.5, 1\.0, 2\.0\)"),
        (("from = 0.7, to", "to"), r"claims\.where\.init_gain must be a span, as \{ from"),
        (("from = 0.7", 'from = "a"'), r"claims\.where\.init_gain\.from must be a number"),
        (("{ from = 0.01, to = 10 }", "0.01"), r"claims\.ratio must be a span, as \{ from"),
        (('"rnn", init_gain', '"rnn", clip'), r"claims\.where\.clip must be .*it is no axis"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_field_and_what_it_accepts(change, says):
    changed = FILE.replace(*change)
    assert changed != FILE
    with pytest.raises(ExperimentError, match=says):
        parse(changed)


def test_claims_need_a_map():
    with pytest.raises(ExperimentError, match=r"claims must be left out where there is no \[map\]"):
        parse(FILE[: FILE.index("[map]")] + FILE[FILE.index("[[claims]]") :])


def test_a_curve_has_no_colour_but_the_success():
    curve = FILE.replace('y = "seq_len"\n', "").replace("seq_len = [5, 10]\n", "")
    with pytest.raises(ExperimentError, match=r"map\.colour must be one of solved, but got 'loss'"):
        parse(curve.replace('"solved"', '"loss"'))


# ---- what is measured


def network(solved: bool, **settings) -> Outcome:
    return Outcome(BASE.replace(**settings), 10 if solved else None)


def claim(measure: str, where=None, above=-math.inf, below=math.inf) -> MapClaim:
    return MapClaim("So.", measure, where or {}, above, below)


def test_success_is_the_share_that_has_solved_its_task_where_the_claim_says():
    networks = [network(True, cell="rnn"), network(False, cell="rnn", seed=1), network(False, cell="gru")]
    assert claim("success").value(networks, "init_gain") == pytest.approx(1 / 3)
    assert claim("success", {"cell": ("rnn",)}).value(networks, "init_gain") == 0.5


def test_only_networks_that_start_with_such_a_ratio_count():
    ratios = (1e-4, 1e-3, 10.0, 11.0, math.nan)
    networks = [Outcome(BASE, 10 if ratio == 1e-3 else None, ratio) for ratio in ratios]
    within = MapClaim("So.", "success", {}, 0, 1, ratio=(1e-3, 10.0))
    assert within.value(networks, "init_gain") == 0.5


def test_the_middle_is_a_geometric_mean_of_what_is_solved():
    networks = [network(True, init_gain=gain) for gain in (0.5, 2.0, 8.0)] + [network(False, init_gain=0.01)]
    assert claim("middle").value(networks, "init_gain") == pytest.approx(2.0)
    assert math.isnan(claim("middle").value(networks[-1:], "init_gain"))


def test_the_reach_ends_at_the_first_length_that_less_than_half_solve():
    shares = {4: (True, True), 8: (True, False), 12: (False, False), 16: (True, True)}
    networks = [network(done, seq_len=length) for length, both in shares.items() for done in both]
    assert claim("reach").value(networks, "init_gain") == 8
    assert claim("reach", {"seq_len": (12, 16)}).value(networks, "init_gain") == 0


def test_the_ratio_is_a_median():
    networks = [Outcome(BASE, None, ratio) for ratio in (1e-6, 1e-3, 5.0)]
    assert claim("ratio").value(networks, "init_gain") == 1e-3


@pytest.mark.parametrize("measure", MEASURES)
def test_of_no_network_nothing_is_measured(measure):
    assert math.isnan(MapClaim("So.", measure, {}, 0, 1, ratio=(5, 6)).value([network(True)], "init_gain"))


def test_bounds_are_strict_and_nothing_holds_for_what_is_not_a_number():
    bounded = claim("success", above=0.5, below=1)
    assert [bounded.holds(value) for value in (0.5, 0.6, 1.0, math.nan)] == [False, True, False, False]
