"""What a person gets, in a real browser on real runs."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.live.stream import GONE
from tests.browser.conftest import FIGURES, LIMIT

pytestmark = pytest.mark.browser


def test_the_page_opens_training_the_first_lesson(visit):
    page = visit()
    page.frames(3)
    assert page.step > 0 and page.get("playground.phase") == "running"
    assert page.page.get_by_role("heading", name="Can a plain RNN remember the first of 40 digits?").is_visible()
    page.pause()
    page.page.locator(".lv-timeline-slider").focus()
    page.page.keyboard.press("Home")  # the untrained network: how far training has come depends on the machine
    page.wait("playground.at === 0 && playground.step === 0")
    assert page.get("document.querySelector('.lv-verdict').dataset.kind") == "vanished"
    sentence = page.page.locator(".lv-sentence").inner_text()
    assert sentence.startswith("1 part in ") and "of the gradient reaches t = 0" in sentence and "needs 39" in sentence
    for name in FIGURES:
        page.show(name)
        box = page.page.locator(f"[data-figure={name}] .main-svg").first.bounding_box()
        assert box and box["width"] > 300 and box["height"] > 100
        assert page.page.locator(f"[data-figure={name}][role=figure][aria-label]").count() == 1
    board = page.page.locator("[data-figure=stage]").bounding_box()
    assert board and board["width"] > 900 and board["height"] > 300
    sizes = page.data("gradient", "data[2].y")
    assert len(sizes) == 40 and sizes[-1] == 1 and sizes[0] < 1e-6
    page.wait("location.search.includes('preset=remember')")


def test_figures_keep_their_elements_and_the_zoom_over_10_frames(visit):
    page = visit("preset=remember-lstm&steps=1000000")
    page.show("gradient")
    page.get("(window.kept = [...document.querySelectorAll('[data-figure], [data-figure] .main-svg')]).length")
    page.get(
        "Plotly.relayout(document.querySelector('[data-figure=gradient]'), {'xaxis.range': [10, 20]}).then(() => 1)"
    )
    page.frames(10)
    assert page.get("window.kept.length") >= 12 and page.get("window.kept.every(each => each.isConnected)")
    assert page.data("gradient", "layout.xaxis.range") == [10, 20]
    page.show("loss")
    box = page.page.locator("[data-figure=loss] .nsewdrag").bounding_box()
    mouse = page.page.mouse  # and a zoom by hand completes while frames arrive
    mouse.move(box["x"] + 60, box["y"] + 40)
    mouse.down()
    page.frames(2)
    mouse.move(box["x"] + 160, box["y"] + 42, steps=4)
    page.frames(2)
    mouse.up()
    zoomed = page.data("loss", "layout.xaxis.range")
    page.frames(5)
    assert page.data("loss", "layout.xaxis.range") == zoomed and zoomed[0] > 0


def test_changing_the_cell_starts_a_new_run_with_that_cell(visit):
    page = visit()
    old = page.token
    page.get("(window.kept = [...document.querySelectorAll('[data-figure]')]).length")
    page.pick("cell", "LSTM")
    page.wait("playground.token !== argument && playground.token !== null", old)
    page.frames(2)
    page.show("cell")  # a plain RNN has no cell state
    assert page.get("window.kept.every(each => each.isConnected)")
    page.wait("location.search.includes('cell=lstm')")
    assert page.data("gradient", "data[0].showlegend") is True  # the run before stays, in grey
    ghost = page.data("gradient", "data[0].y")
    assert len(ghost) == 40 and ghost[-1] > 0


def test_learning_rate_and_clipping_change_without_a_restart(visit):
    page = visit()
    page.frames(2)
    token, step = page.token, page.step
    page.show("update")
    page.slide("learning_rate", "ArrowRight")
    page.wait("location.search.includes('learning_rate~0.01')")
    page.choose("clip", "none")
    page.wait("location.search.includes('clip~none')")
    page.wait("!document.querySelector('[data-figure=update]').layout.shapes[0].visible")
    page.frames(3)
    assert page.token == token and page.step > step
    page.choose("clip", "norm")
    page.wait("location.search.includes('clip~norm')")  # the threshold can be moved again only when the page has heard
    page.slide("clip_threshold", "ArrowLeft")
    page.wait("document.querySelector('[data-figure=update]').layout.shapes[0].y0 === 0.3")
    assert page.token == token


def test_pause_holds_and_step_advances_by_one(visit):
    page = visit()
    page.frames(2)
    held = page.pause()
    painted = page.get("playground.painted")
    page.slide("learning_rate", "ArrowRight")  # a full rerun of the page goes by
    page.wait("location.search.includes('learning_rate')")
    assert page.step == held
    for made in (1, 2):
        page.click("step")
        page.wait("playground.step > argument", held + made - 1)
        assert page.step == held + made and page.get("playground.phase") == "paused"
    assert page.get("playground.painted") > painted
    page.click("train")
    page.wait("playground.step > argument + 5", held)


def test_reset_gives_the_same_first_frame(visit):
    page = visit("preset=explode")
    assert page.step == 0 and page.get("document.querySelector('.lv-verdict').dataset.kind") == "exploding"
    first = [page.data("gradient", "data[2].y"), page.data("hidden", "data[0].z"), page.data("prediction", "data[0].y")]
    page.click("step")
    page.wait("playground.step === 1")
    assert page.data("hidden", "data[0].z") != first[1]
    old = page.token
    page.click("reset")
    page.wait("playground.token !== argument && playground.step === 0", old)
    assert [page.data("gradient", "data[2].y"), page.data("hidden", "data[0].z"),
            page.data("prediction", "data[0].y")] == first  # fmt: skip
    old = page.token
    page.click("new_seed")
    page.wait("playground.token !== argument && playground.step === 0", old)
    page.wait("location.search.includes('seed=')")
    assert page.data("hidden", "data[0].z") != first[1]


def test_the_cure_solves_what_the_plain_network_cannot(visit):
    page = visit("speed=max")
    page.frames(3)
    assert page.page.locator(".lv-cure").inner_text() == "Try the cure: LSTM, forget bias 3"
    old = page.token
    page.page.locator(".lv-cure").click()
    page.wait("playground.token !== argument", old)
    page.wait("location.search.includes('cell=lstm') && location.search.includes('forget_bias=3')")
    page.wait("document.querySelector('.lv-verdict').dataset.kind === 'solved'")
    assert page.page.locator(".lv-cure").is_hidden()
    solved = re.search(r"solved at step ([\d,]+)", page.page.locator(".lv-clock").inner_text())
    assert solved and int(solved[1].replace(",", "")) < 1500  # it trains on while we look


def test_two_browsers_do_not_see_each_other(visit):
    first = visit()
    first.frames(2)
    first.wait("location.search.length > 1")
    second = visit(first.page.url.split("?")[1])
    assert second.token != first.token
    held = second.pause()
    step = first.step
    first.wait("playground.step > argument + 5", step)
    assert second.step == held and first.get("playground.phase") == "running"


def test_a_reload_finds_its_run_again(visit):
    page = visit("cell=gru")
    page.frames(3)
    token, step = page.token, page.step
    page.page.reload(wait_until="commit")
    page.wait("window.playground?.painted > 0")
    assert page.token == token and page.step >= step


def test_two_tabs_of_one_browser_have_two_runs(visit):
    first = visit()
    first.frames(1)
    first.wait("location.search.length > 1")
    second = visit(first.page.url.split("?")[1], context=first.page.context)
    assert second.token != first.token


def test_a_full_rerun_never_stops_the_stream(visit):
    page = visit()
    page.frames(2)
    painted = page.get("playground.painted")
    for _ in range(3):
        page.slide("learning_rate", "ArrowRight")
    page.wait("location.search.includes('learning_rate')")
    page.frames(3)
    assert page.get("playground.painted") >= painted + 3 and page.get("playground.phase") == "running"


COUNT_REQUESTS = """
window.sent = 0, window.real = WebSocket.prototype.send,
WebSocket.prototype.send = function (data) {
  if (this.url.includes('/live/')) window.sent += 1;
  return window.real.call(this, data);
}, 1
"""
STILL = (
    "window.quiet = window.last === window.sent ? window.quiet + 1 : 0, window.last = window.sent, window.quiet > 50"
)


def test_a_hidden_tab_asks_for_nothing_and_trains_on(visit):
    page = visit("speed=max&steps=1000000")
    page.frames(2)
    hide = (
        "Object.defineProperty(document, 'hidden', {value: argument, configurable: true}),"
        " document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.get(COUNT_REQUESTS)
    page.frames(2)
    page.get(hide, True)
    page.wait(STILL)  # 50 looks, 20 ms apart, without a single request
    step = page.step
    page.get(hide, False)
    page.wait("playground.step > argument + 100", step)


def test_figures_follow_light_and_dark(visit):
    page = visit("preset=explode", color_scheme="light")
    light = page.data("hidden", "data[0].colorscale")[2][1], page.data("loss", "layout.font.color")
    page.show("hidden")
    page.page.emulate_media(color_scheme="dark")
    page.wait("document.querySelector('[data-figure=hidden]').data[0].colorscale[2][1] !== argument", light[0])
    assert page.data("loss", "layout.font.color") != light[1]


TYPES = {
    "one to one": ("digits", "healthy"),
    "one to many": ("melody", None),
    "many to many": ("characters", None),
    "encoder-decoder": ("reverse", None),
    "many to one": ("first_symbol_recall", "vanished"),
}


def test_each_rnn_type_is_picked_by_its_picture_trains_and_is_drawn_right(visit):
    page = visit()
    page.page.locator(".st-key-rnn_type button").nth(0).wait_for()
    for name, (task, verdict) in TYPES.items():
        page.settle()
        old = page.token
        page.choose("rnn_type", name)
        page.wait("playground.token !== argument && playground.step > 2", old)
        if task != "first_symbol_recall":  # the way back to many to one keeps the data that have it
            page.wait("location.search.includes(`task=${argument}`)", task)
        if verdict and task == "digits":
            assert page.get("document.querySelector('.lv-verdict').dataset.kind") in (verdict, "solved", "untrained")
        assert page.page.locator("[data-testid=stMain] [data-testid=stAlert]").count() == 0
        check_drawing(page, name)


def check_drawing(page, name: str) -> None:
    """The textbook's picture: which steps have inputs from outside, answers, feedback, a context vector."""
    page.wait("playground.stage.frame?.step === playground.step")
    info = page.get("playground.stage.info")
    seen = ".filter(each => each.checkVisibility() && each.getBoundingClientRect().height > 0)"
    visible = "[...document.querySelectorAll(`.stage-svg ${argument}`)]" + seen
    shown = {part: page.get(f"{visible}.length", part) for part in (".context", ".fed", ".river")}
    assert shown[".context"] == (name == "encoder-decoder")
    assert (shown[".fed"] > 0) == (name in ("one to many", "encoder-decoder"))
    assert (shown[".river"] > 0) == (name != "one to one")
    answers = page.get(f"{visible}.map(each => Number(each.dataset.t))", ".says")
    if name in ("one to one", "many to one"):
        assert answers == [info["steps"] - 1] and sum(info["counted"]) == 1
    else:
        assert len(answers) > 1 and all(info["counted"][t] for t in answers)
    if name == "encoder-decoder":
        assert min(answers) >= info["encoder"] > 0
    if name == "one to many":  # the rest is what it said itself
        assert page.page.locator(".stage-svg .chip.editable").count() == 1


def test_padding_is_grey_and_truncation_is_a_wall(visit):
    page = visit("task=sentiment&rnn_type=many_to_one&cell=gru&seed=1")
    grey = [shape for shape in page.data("gradient", "layout.shapes") if shape["type"] == "rect"]
    assert grey and grey[-1]["x1"] == 11.5
    page = visit("task=copy&rnn_type=many_to_many&cell=gru&tbptt=5")
    assert page.get("playground.stage.info.walls") == [1, 6, 11]
    page.wait("[...document.querySelectorAll('.stage-svg .wall')].filter(each => each.checkVisibility()).length === 3")
    for figure in ("gradient", "hidden"):
        walls = [shape["x0"] for shape in page.data(figure, "layout.shapes") if shape["type"] == "line"]
        assert {0.5, 5.5, 10.5} <= set(walls)
    assert page.data("gradient", "data[4].y")[10] > 0  # beyond the wall a mark: it is exactly 0
    assert page.get("document.querySelector('.lv-verdict').dataset.kind") == "cut"


def test_gates_of_a_sentence_stand_at_its_words(visit):
    page = visit("task=sentiment&rnn_type=many_to_one&cell=lstm&seed=1")
    page.show("gates")
    page.wait(
        "document.querySelector('[data-figure=gates]').layout?.xaxis.ticktext.some(each => /^[a-z]{3,}$/.test(each))"
    )
    old = page.token
    page.pick("cell", "RNN")
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait("document.querySelector('[data-figure=gates]').closest('.lv-card').hidden")


BAD_LINKS = {
    "hidden_size=0": ("hidden_size", "a whole number from 1 to 2,048"),
    "seq_len=100000": ("seq_len", "a whole number from 1 to 1,000"),
    "learning_rate=nan": ("learning_rate", "a number from 1e-08 to 100"),
    "cell=nope": ("cell", "rnn, gru, lstm"),
    "preset=nope": ("preset", "no lesson called nope"),
}


def test_a_bad_link_gives_a_sentence_beside_each_control_and_a_running_page(visit):
    page = visit("&".join(BAD_LINKS))
    page.frames(1)
    warnings = page.page.locator("[data-testid=stAlert]")
    assert warnings.count() == len(BAD_LINKS)
    for key, words in BAD_LINKS.values():
        warning = warnings.filter(has_text=words)
        above = page.page.locator(f".st-key-{key}").bounding_box()
        assert 0 <= warning.bounding_box()["y"] - above["y"] - above["height"] < 40
    assert page.page.get_by_text("Traceback").count() == 0


def test_settings_that_do_not_fit_together_keep_the_run(visit):
    page = visit("tbptt=10")
    page.frames(1)
    token = page.token
    page.page.locator(".st-key-settings_network summary").click()
    page.page.locator(".st-key-bidirectional label").first.click()
    page.page.get_by_text("Cut the gradient after (steps) must be 0").wait_for()
    page.frames(2)
    assert page.token == token


def test_settings_are_set_by_typing_their_names(visit):
    """As an engineer wants them: AdamW, weight decay 0.01, cosine; on the way the run goes on, or starts anew."""
    page = visit("hidden_size=4&seq_len=4")
    page.frames(1)
    field, found = page.page.locator(".st-key-find input"), page.page.locator(".st-key-found")
    for typed, label in (("adamw", "Optimiser"), ("cosine", "Learning-rate schedule"), ("wd", "Weight decay")):
        field.first.click()
        page.page.keyboard.type(typed)
        page.page.locator("[role=option]").first.wait_for()
        page.page.keyboard.press("Enter")
        found.get_by_text(label, exact=True).wait_for()
    found.locator("input").fill("0.01")
    found.locator("input").press("Enter")
    page.wait(
        "[/optimizer=adamw/, /schedule=cosine/, /weight_decay[=~]0.01/].every(each => each.test(location.search))"
    )
    page.frames(1)
    page.show("rate")
    page.wait("document.querySelector('[data-figure=rate]').data[0].y.length > 2")


def test_the_numbers_of_a_frame_as_csv(visit, server):
    page = visit("preset=explode")
    with urllib.request.urlopen(f"{server.url}/live/{page.token}/gradient.csv", timeout=LIMIT / 1000) as answer:
        rows = list(csv.DictReader(io.StringIO(answer.read().decode())))
    assert [int(row["t"]) for row in rows] == list(range(50))
    grows = float(rows[0]["grad_norm"]) / float(rows[-1]["grad_norm"])  # of the medians; drawn is the median
    assert grows == pytest.approx(page.data("gradient", "data[2].y")[0], rel=0.5)


def test_streams_are_refused_to_foreign_pages_and_without_the_token(visit, server):
    token = visit().token
    socket = server.url.replace("http", "ws") + "/live/"
    for origin in ("http://evil.example", None):
        with pytest.raises(InvalidStatus) as refusal:
            connect(socket + token, origin=origin, open_timeout=LIMIT / 1000)
        assert refusal.value.response.status_code == 403
    with connect(socket + "nope", origin=server.url, open_timeout=LIMIT / 1000) as stream:
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(LIMIT / 1000)
        assert closed.value.rcvd.code == GONE
    with connect(socket + token, origin=server.url, open_timeout=LIMIT / 1000) as stream:
        stream.send("1")
        assert len(stream.recv(LIMIT / 1000)) > 0


def test_a_killed_worker_is_replaced_and_the_page_says_so(visit, server):
    page = visit("speed=max&steps=1000000")
    page.frames(3)
    before = set(server.workers())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    page.page.locator(".lv-message", has_text="worker process died and was replaced").wait_for()
    page.wait("playground.phase === 'running'")
    page.frames(3)
    assert server.workers() and not before & set(server.workers())


def test_of_two_browsers_that_look_at_one_run_the_one_that_trains_it_leaves_the_other_where_it_is(visit):
    ann, bob = (visit("preset=remember", guess=True, color_scheme="light") for _ in range(2))
    token, stays = bob.token, ann.token
    bob.click("skip_guess")
    bob.wait("playground.token !== argument && playground.step > 0", token)  # a run of its own, so they shared one
    assert (ann.token, ann.step, ann.get("playground.phase")) == (stays, 0, "paused")
