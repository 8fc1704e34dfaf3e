"""A teacher's plan: its parts in order, and errors that name the file, the part and what is accepted."""

from __future__ import annotations

import pytest

from engine.preset import Plan, PlanPart, PresetError, list_plans
from engine.preset.plan import PLANS, parse_plan
from tests.cases import for_each

GOOD = """
title = "Title"
says = "For a class."

[[parts]]
minutes = 5
link = "/?preset=wave&present=1"
asks = "What comes?"
sees = "The wave."

[[parts]]
minutes = 3
link = "/?preset=wave&cell=feedforward"
asks = "And now?"
sees = "No wave."
"""


def test_a_plan_says_when_each_part_begins_and_what_it_opens():
    plan = parse_plan("demo.toml", GOOD)
    assert plan == Plan(
        title="Title",
        says="For a class.",
        parts=(
            PlanPart(minutes=5, link="/?preset=wave&present=1", asks="What comes?", sees="The wave."),
            PlanPart(minutes=3, link="/?preset=wave&cell=feedforward", asks="And now?", sees="No wave."),
        ),
    )
    assert (plan.minutes, plan.starts) == (8, (0, 5))
    assert plan.parts[1].query == {"preset": "wave", "cell": "feedforward"}


@for_each({"old, new, says": [
        ("minutes = 5", "minutes 5", r"^demo\.toml cannot be read: .*line 6"),
        ('title = "Title"\n', "", r"^demo\.toml: title is missing\.$"),
        ("says =", "say =", r"^demo\.toml: say is not a key of a plan; those are title, says, parts\.$"),
        ("minutes = 3", "minutes = 0", r"^demo\.toml, part 2: minutes must be 1 or more, but got 0\.$"),
        ("minutes = 3", "minutes = 2.5", r"^demo\.toml, part 2: minutes must be a whole number, but got 2\.5\.$"),
        ('asks = "What comes?"\n', "", r"^demo\.toml, part 1: asks is missing\.$"),
        ("/?preset=wave&present=1", "preset=wave", r"^demo\.toml, part 1: link must begin with /\? and name a lesson"),
        ("/?preset=wave&present=1", "/?cell=gru", r"^demo\.toml, part 1: link must begin .*, but got '/\?cell=gru'\.$"),
        (GOOD[GOOD.index("[[parts]]"):], "parts = []", r"^demo\.toml: parts must have at least one part\.$"),
    ]})  # fmt: skip
def test_a_plan_that_cannot_be_says_why(old, new, says):
    assert old in GOOD
    with pytest.raises(PresetError, match=says):
        parse_plan("demo.toml", GOOD.replace(old, new))


def test_there_is_a_plan_of_a_school_lesson_with_a_question_for_each_part():
    assert len(list_plans()) == len(list(PLANS.glob("*.toml")))
    assert 45 in [plan.minutes for plan in list_plans()]
    for plan in list_plans():
        assert all("?" in part.asks or part.asks.endswith(".") for part in plan.parts)
        assert all(part.sees.endswith(".") for part in plan.parts)
