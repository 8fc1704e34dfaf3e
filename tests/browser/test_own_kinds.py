"""Files of all six kinds in a real browser: from the upload to a network that is trained, judged and asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.own_data.bring import FOLDER
from engine.experiment import Experiment
from engine.tasks import TASKS, sample
from tests.browser.conftest import LIMIT, Playground
from tests.browser.test_learn import turn

pytestmark = pytest.mark.browser

ENGINE_DATA = FOLDER.parents[1] / "engine" / "tasks" / "data"


def tagged(folder: Path) -> Path:
    """Sentences whose words are nothing, a person or a place, a word and its tag a line."""
    task, batch = TASKS["entities"], sample(Experiment(task="entities", rnn_type="many_to_many"), 200, 1)
    sentences = [
        "\n".join(
            f"{task.input_labels[word]} {task.output_labels[tag]}"
            for word, tag in zip(batch.inputs[:length, column], batch.targets[:length, column], strict=True)
        )
        for column, length in enumerate(batch.lengths)
    ]
    (path := folder / "people.conll").write_text("\n\n".join(sentences) + "\n")
    return path


FILES = {
    "series": lambda _: FOLDER / "elnino.csv",
    "labelled": lambda _: FOLDER / "names.csv",
    "pairs": lambda _: FOLDER / "pronunciations.tsv",
    "text": lambda _: ENGINE_DATA / "alice.txt",
    "sequences": lambda _: ENGINE_DATA / "digits.csv",
    "tagged": tagged,
}
IN_EVERY_RUN = ("series", "labelled")
KINDS = [pytest.param(kind, marks=() if kind in IN_EVERY_RUN else pytest.mark.full) for kind in FILES]
TYPED = {"labelled": "Schneider", "pairs": "playing", "text": "Alice was", "tagged": "peter moved to london"}


def trained(play: Playground, path: Path, updates: int) -> None:
    """Somebody brings a file and trains on it as it was understood."""
    turn(play, "Your data")
    play.page.locator("input[type=file]").wait_for(state="attached")
    play.page.set_input_files("input[type=file]", path)
    play.page.locator(".st-key-own_understood").wait_for()
    play.settle()
    old = play.token
    play.click("own_train")
    play.wait("playground.token && playground.token !== argument && playground.painted > 0", old)
    play.wait("playground.step >= argument", updates)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_trained_on_judged_and_asked(visit, tmp_path: Path, kind: str):
    expect.set_options(timeout=LIMIT)
    play = visit("speed=slow")
    page, path = play.page, FILES[kind](tmp_path)
    trained(play, path, 60)
    assert f"data.kind={kind}" in page.url and "task=own_data" in page.url
    expect(page.locator(".lv-verdict").first).to_contain_text("held-out loss")
    if kind == "series":
        play.click("forecast_ask")
        expect(page.locator(".st-key-forecast")).to_contain_text("1 month ahead the network is off by")
        expect(page.locator(".st-key-forecast .js-plotly-plot .main-svg").first).to_be_visible()
        return
    card = page.locator(".st-key-predict")
    card.locator("summary").click()
    if kind in TYPED:
        field = card.get_by_role("textbox").first
        field.fill(TYPED[kind])
    play.click("predict_ask")
    expect(page.locator(".st-key-predict_answer")).to_contain_text("Asked at step ")
