"""What the card says."""

from __future__ import annotations

import pytest

from app.seeds import text as seeds_text
from app.seeds.sweep import Plan
from tests.app.seeds.conftest import DATA, measured, sweep_of

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("steps", "seconds", "beside", "says"),
    [
        (1, 0.001, 0, "16 networks, 1 update each: at most about 1 s."),
        (3000, 0.001, 1, "16 networks, 3,000 updates each: at most about 2 min."),
        (3000, 0.02, 1, "16 networks, 720 updates each: at most about 10 min. The run makes 3,000; these make fewer, "
         "so that they do not take too long."),
        (3000, None, 0, "16 networks, 1,000 updates each."),
    ],
)  # fmt: skip
def test_what_it_costs_is_said_before(steps, seconds, beside, says):
    alone = DATA.replace(steps=steps, noise=0.1)
    assert seeds_text.costs(Plan.of(alone, 16, seconds, beside)) == says


def test_networks_that_can_be_trained_side_by_side_are_said_to_be_faster():
    says = seeds_text.costs(Plan.of(DATA, 16, 0.01, 0))
    assert says == (
        "16 networks, 100 updates each: at most about 24 s, and often much less, since they can be trained side by "
        "side."
    )


def test_how_many_have_solved_it_is_said_with_its_interval():
    """11 of 16: Wilson's interval by hand, (11 + 1.92)/(16 + 3.84) ± 1.96/(16 + 3.84)·√(11·5/16 + 0.96)."""
    good = [measured(number, 40, 0.01, 0.99) for number in range(11)]
    bad = [measured(number, 40, 2.0) for number in range(11, 16)]
    says = seeds_text.outcome(sweep_of(16, *good, *bad))
    assert says == (
        f"**11 of 16 have solved it** (95{SPACE}%: 44{SPACE}% to 86{SPACE}%), after 40 updates each. "
        "Their held-out loss: median 0.010, middle half 0.010 to 2.00."
    )


def test_networks_that_diverged_are_counted():
    sweep = sweep_of(4, *(measured(number, 0, 2.0, diverged=number == 0) for number in range(4)))
    assert seeds_text.outcome(sweep).endswith(" 1 diverged: the next update would not have been finite.")


def test_a_loss_that_is_not_finite_is_no_number():
    """One of four: the upper quartile lies between a number and no number. Three of four: the median as well."""

    def says(broken: int) -> str:
        ends = [measured(number, 0, float("nan") if number < broken else 2.0) for number in range(4)]
        return seeds_text.outcome(sweep_of(4, *ends))

    assert says(1).endswith("Their held-out loss: median 2.00.")
    assert says(3).endswith("after 0 updates each.")


def test_before_anything_was_measured_nothing_is_said_of_it():
    assert seeds_text.outcome(sweep_of(4)) == ""
    assert seeds_text.progress(sweep_of(4)) == f"0{SPACE}% of 100 updates"


def test_a_stop_is_told_from_an_end():
    sweep = sweep_of(1, measured(0, 40, 2.0))
    assert seeds_text.ended(sweep) == "Took 1 s."
    sweep.stop()
    assert seeds_text.ended(sweep) == "Stopped after 40 updates of 100."
