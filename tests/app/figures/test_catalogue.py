"""Which figures there are, in which order, and which are there for which network."""

from __future__ import annotations

import re
from pathlib import Path

from app.figures import FIGURES, applicable
from app.figures.compare.catalogue import FIGURES as RACE_FIGURES
from engine.frame import RunInfo
from tests.app.figures.conftest import CASES, experiment_of, over, seen

ORDER = ["unrolled", "gradient", "loss_per_step", "hidden", "factors", "waterfall", "decomposition", "weights", "gates",
         "cell", "saliency", "loss", "prediction", "update", "embedding", "spectrum", "memory"]  # fmt: skip
ROOT = Path(__file__).parents[3]
CODE = re.compile(r"((?:engine|app)/\w+(?:/\w+)*(?:\.py)?)(?:, (?!engine|app)(\w+(?:\.\w+)*))?")
SOMETIMES = {
    "loss_per_step",
    "gates",
    "cell",
    "embedding",
    "decomposition",
    "factors",
    "waterfall",
    "spectrum",
    "memory",
}


def test_figures_stand_in_their_order():
    """New ones may stand between these, whose names lessons and links hold."""
    assert [name for name in FIGURES if name in ORDER] == ORDER
    for case in CASES:
        shown = applicable(RunInfo.of(experiment_of(case)))
        assert list(shown) == [name for name in FIGURES if name in shown]


@over(CASES)
def test_a_figure_is_there_where_it_has_something_to_show(case):
    info, frame, _ = seen(case)
    shown = set(applicable(info))
    assert shown >= set(ORDER) - SOMETIMES
    assert ("embedding" in shown) == (frame.embedding is not None)
    assert ("gates" in shown) == (len(frame.gates) > 1)
    assert ("cell" in shown) == (frame.cell is not None)
    assert ("loss_per_step" in shown) == ("decomposition" in shown) == (frame.counted.sum() > 1)
    linked = info.has_links and info.time_steps > 1
    assert ("factors" in shown) == ("memory" in shown) == linked
    assert ("waterfall" in shown) == (info.time_steps > 1)
    assert ("spectrum" in shown) == bool(frame.spectrum and frame.spectrum.eigenvalues)


@over(CASES)
def test_the_code_that_a_figure_names_exists(case):
    """Every "how measured?" ends with a file or a folder, and perhaps a name in it."""
    info = RunInfo.of(experiment_of(case))
    texts = [figure.how(info) for figure in applicable(info).values()] + [each.how for each in RACE_FIGURES.values()]
    for text in texts:
        named = CODE.findall(text)
        assert named, text
        for path, name in named:
            assert (ROOT / path).exists(), path
            for part in name.split(".") if name else ():
                source = (ROOT / path).read_text(encoding="utf-8")
                assert re.search(rf"^ *(def|class) {part}\b", source, re.MULTILINE), (path, part)
