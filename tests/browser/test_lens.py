"""The lenses below the fold: measured while somebody looks, on fixed scales or fitted ones, and explained."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.figures import Quantised
from app.live import script
from app.live.messages import pack

pytestmark = pytest.mark.browser

BELOW = ["factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory"]


def shows_numbers(name: str) -> str:
    """JavaScript: the figure has been drawn, with a finite number in one of its traces."""
    flat = "Array.from(trace.z ?? trace.y, each => ArrayBuffer.isView(each) ? Array.from(each) : each).flat()"
    finite = f"{flat}.some(value => value !== null && Number.isFinite(+value))"
    plot = f"document.querySelector('[data-figure={name}]')"
    return f"{plot}?._fullLayout && {plot}.data.some(trace => {finite})"


def test_every_lens_is_drawn_when_it_comes_into_sight(visit):
    page = visit("preset=xor&cell=lstm&hidden_size=8&steps=1000000")
    for name in BELOW:
        page.show(name)
        page.wait(shows_numbers(name))


def test_what_costs_much_is_measured_only_while_it_is_on_the_screen(visit):
    page = visit("preset=xor&steps=1000000")
    page.frames(5)
    assert not page.get(shows_numbers("saliency")) and not page.get(shows_numbers("decomposition"))
    page.pause()
    page.show("saliency")  # a run that stands still measures it for whoever comes to look
    page.wait(shows_numbers("saliency"))
    text = page.page.locator('[data-card="saliency"] .lv-readout').inner_text()
    assert f"step {page.step:,}" in text


def test_a_scale_is_fitted_and_fixed_again(visit):
    page = visit("preset=remember&steps=1000000")
    page.pause()
    fit = page.page.locator('[data-card="gradient"] .lv-fit[aria-pressed]')
    fixed = page.data("gradient", "_fullLayout.yaxis.range")
    fit.click()
    page.wait("document.querySelector('[data-figure=gradient]')._fullLayout.yaxis.range[0] > argument + 1", fixed[0])
    assert fit.get_attribute("aria-pressed") == "true"
    fit.click()
    page.wait("document.querySelector('[data-figure=gradient]')._fullLayout.yaxis.range[0] === argument", fixed[0])
    page.show("waterfall")
    page.wait(shows_numbers("waterfall"))
    key = page.page.locator('[data-card="waterfall"] .lv-key')
    assert (key.get_attribute("data-low"), key.get_attribute("data-high")) == ("10⁻¹²", "10²")
    page.page.locator('[data-card="waterfall"] .lv-fit[aria-pressed]').click()
    page.wait("document.querySelector('[data-card=waterfall] .lv-key').dataset.low !== '10⁻¹²'")


def test_behind_every_figure_stands_how_it_was_measured(visit):
    page = visit("preset=remember-lstm&steps=1000000")
    cards = page.page.locator(".lv-card")
    assert cards.count() >= 12
    explained = page.get("[...document.querySelectorAll('.lv-card .lv-how:not([hidden]) div')].map(e => e.textContent)")
    assert len(explained) == cards.count() and all("engine/" in each for each in explained)
    page.show("update")  # in a tab with the gradient
    for name in ("gradient", "update"):
        page.page.locator(f'[data-card="{name}"] summary').click()
        assert page.page.locator(".lv-how[open]").count() == 1  # another one closes the first
    page.page.keyboard.press("Escape")
    assert page.page.locator(".lv-how[open]").count() == 0


def test_the_verdict_leads_to_the_figure_of_its_evidence_by_keyboard(visit):
    page = visit("preset=explode&hide=lesson")  # without its guess, which comes before the verdict
    link = page.page.locator(".lv-see a")
    assert link.inner_text() == page.page.locator("[data-card=gradient] h2").text_content()
    page.page.set_viewport_size({"width": 1024, "height": 420})  # the figure is out of sight
    address = page.page.url
    link.focus()
    page.page.keyboard.press("Enter")
    page.wait("document.querySelector('[data-card=gradient]').classList.contains('lv-marked')")
    page.wait("document.activeElement.dataset.figure === 'gradient'")
    page.wait("document.querySelector('[data-card=gradient]').getBoundingClientRect().top < innerHeight - 60")
    assert page.page.url == address


def test_one_line_of_time_runs_through_all_lenses(visit):
    page = visit("preset=xor&steps=1000000")
    page.pause()
    for name in ("factors", "decomposition", "saliency"):
        page.show(name)
        page.wait(shows_numbers(name))
        box = page.page.locator(f"[data-figure={name}] .main-svg").first.bounding_box()
        axis = page.get(
            "(a => a._offset + a.d2p(7))(document.querySelector(`[data-figure=${argument}]`)._fullLayout.xaxis)", name
        )
        page.page.mouse.move(box["x"] + axis, box["y"] + box["height"] / 2)
        assert page.page.locator(".lv-cursor span").inner_text() == "t = 7"
        line = page.page.locator(".lv-cursor").bounding_box()
        assert abs(line["x"] - (box["x"] + axis)) < 2


def test_numbers_sent_as_one_byte_arrive_as_they_were(browser):
    """The ends of the scale exactly, everything between to half a part in 127."""
    values = np.array([[-0.5, -0.2], [0.0, 0.123], [0.37, 0.5]], np.float32)
    message = pack({"hidden": {"data.0.z": Quantised.of(values, 0.5), "data.1.y": values[0]}})
    page = browser.new_page()
    page.add_script_tag(content=script("messages") + "\nwindow.decode = decode")
    decoded = page.evaluate("""bytes => {
        const patches = Object.fromEntries(decode(new Uint8Array(bytes).buffer).patches)
        return JSON.parse(JSON.stringify(patches, (key, value) => (ArrayBuffer.isView(value) ? [...value] : value)))
    }""", list(message))  # fmt: skip
    page.close()
    assert np.abs(np.array(decoded["hidden.data.0.z"]) - values).max() <= 0.5 / 127 / 2 + 1e-7
    assert [decoded["hidden.data.0.z"][0][0], decoded["hidden.data.0.z"][2][1]] == [-0.5, 0.5]
    assert decoded["hidden.data.1.y"] == [float(value) for value in values[0]]


def test_the_figures_show_the_layer_that_is_chosen_and_a_link_keeps_it(visit):
    page = visit("task=adding&cell=gru&num_layers=2&hidden_size=8&seq_len=12&steps=1000000")
    step, token = page.pause(), page.token
    choices, title = page.page.locator(".lv-chains-choices button"), page.page.locator('[data-card="gates"] h2')
    assert choices.all_inner_texts() == ["layer 1", "layer 2"] and title.text_content() == "Gates (layer 2)"
    page.page.locator(".lv-chains-note", has_text="Verdicts about the gradient mean layer").wait_for()
    sizes = page.data("gradient", "data[2].y")
    for name in ("gates", "spectrum"):  # a paused run measures nothing again
        page.show(name)
        page.wait(shows_numbers(name))
    choices.first.click()
    page.wait("location.search.includes('layer=1') && playground.painted > 0")
    page.page.locator('[data-card="spectrum"] h2', has_text="(layer 1)").wait_for()
    page.wait(shows_numbers("spectrum"))
    assert title.text_content() == "Gates (layer 1)" and (page.token, page.step) == (token, step)
    assert choices.first.get_attribute("aria-pressed") == "true"
    page.show("gradient")
    page.wait("JSON.stringify([...document.querySelector('[data-figure=gradient]').data[2].y]) !== argument",
              json.dumps(sizes, separators=(",", ":")))  # fmt: skip
    page = visit("preset=remember")
    assert page.page.locator(".lv-chains").is_hidden()


def test_a_refused_update_stops_the_run_and_says_so_each_time(visit):
    page = visit("task=adding&cell=gru&seq_len=20&batch_size=32&optimizer=sgd&learning_rate=10&clip=none")
    clock, message = page.page.locator(".lv-clock"), page.page.locator(".lv-message")
    for _ in range(2):
        page.wait("playground.phase === 'refused'")
        assert clock.inner_text().startswith("stopped · step 8") and "Update 9 was not made" in message.inner_text()
        page.page.locator(".next-train").wait_for(state="attached")
        page.click("train")
    page.wait("playground.phase === 'refused'")
