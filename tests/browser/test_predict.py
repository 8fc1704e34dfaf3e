"""Somebody asks the network something, in a real browser, while it trains."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser


def test_a_review_is_typed_and_answered_while_the_network_trains(visit):
    page = visit("preset=many-to-one&steps=1000000")
    page.frames(2)
    page.page.locator(".st-key-predict summary").click()  # folded, since the stage has a field of its own
    card, token = page.page.locator(".st-key-predict"), page.token
    field = card.locator(".st-key-predict_text input")
    field.fill("The story was never very GOOD, xyzzy")
    field.press("Enter")
    card.locator(".st-key-predict_answer").wait_for()
    shown = card.locator(".asked i").all_inner_texts()
    assert shown == ["the", "story", "was", "never", "very", "good", "<UNK>"]
    assert re.search(r"\d%[.;]", card.get_by_text("with a probability of").inner_text())
    card.locator(".js-plotly-plot .barlayer").wait_for()
    first = card.get_by_text("Asked at step").inner_text()
    page.frames(3)
    assert page.token == token and page.get("playground.phase") == "running"
    page.click("predict_ask")
    page.wait("![...document.querySelectorAll('.st-key-predict p')].some(each => each.innerText === argument)", first)
    field.fill("?!")
    page.click("predict_ask")
    card.get_by_text("From 1 to 200 words can be read here").wait_for()
    assert card.locator(".asked i").count() == 0 and field.input_value() == "?!"  # an older answer is not one to this
    page.click("reset")
    card.locator(".st-key-predict_answer").wait_for(state="detached")


def test_a_forecast_of_prices_is_drawn_beside_what_came(visit):
    page = visit("preset=stocks")
    card = page.page.locator(".st-key-predict")
    card.locator(".st-key-predict_example input").fill("2")
    page.click("predict_ask")
    card.get_by_text("repeating the last value would give").wait_for()
    assert "held-out example 2" in card.get_by_text("Asked at step").inner_text()
    page.wait("document.querySelector('.st-key-predict .js-plotly-plot')?.calcdata?.length === 3")
    names = page.get("document.querySelector('.st-key-predict .js-plotly-plot').data.map(each => each.name)")
    assert names == ["read", "actual", "predicted next"]
    read, came, predicted = page.get(
        "document.querySelector('.st-key-predict .js-plotly-plot').calcdata.map(each => each.length)"
    )
    assert (read, came, predicted) == (12, 7, 7)
