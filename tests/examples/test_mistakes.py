"""Each script with a classic mistake is told which one it is; with its one line mended, it is told nothing.

The file has the name of the mistake. A line that is wrong is followed by a comment with the mended one.
"""

from __future__ import annotations

import contextlib
import random
import re
from pathlib import Path

import pytest

from engine.watch import Lens
from engine.watch.mistakes import KINDS

FOLDER = Path(__file__).parents[2] / "examples" / "watch" / "mistakes"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))
WRONG_LINE = re.compile(r"^( *)\S.*\n *# mended: (.*)$", re.MULTILINE)
SIZES = re.compile(r"^BATCH, STEPS, UNITS, SEED = .*$", re.MULTILINE)
RUNS = 4


def source_of(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def mended(source: str) -> str:
    return WRONG_LINE.sub(r"\1\2", source)


def resized(source: str, seed: int) -> str:
    """The same with other sizes. Three sequences or more, so that one of them cannot be all of them."""
    if not seed:
        return source
    draw = random.Random(seed)
    return SIZES.sub(
        f"BATCH, STEPS, UNITS, SEED = {draw.randint(3, 20)}, {draw.randint(6, 25)}, {draw.randint(1, 20)}, {seed}",
        source,
    )


def run(source: str, may_raise: bool) -> Lens:
    names = {"__name__": "__main__"}
    with contextlib.suppress(RuntimeError) if may_raise else contextlib.nullcontext():
        exec(compile(source, "script", "exec"), names)
    return names["lens"]


def test_every_mistake_has_a_script():
    assert {name.replace("_", " ") for name in SCRIPTS} == set(KINDS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_mistake_is_named_and_its_mended_twin_is_not(name, capsys):
    source, kind = source_of(name), name.replace("_", " ")
    assert len(WRONG_LINE.findall(source)) == len(SIZES.findall(source)) == 1
    for seed in range(RUNS):
        wrong = run(resized(source, seed), may_raise=name == "missing_detach")
        assert [mistake.kind for mistake in wrong.mistakes] == [kind], seed
        assert f"! {kind}: " in capsys.readouterr().out
        right = run(resized(mended(source), seed), may_raise=False)
        assert right.mistakes == [] and right.refusals == {}, seed
