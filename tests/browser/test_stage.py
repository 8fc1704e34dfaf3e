"""The stage: what is drawn are the lens's own numbers, and everything on it answers to keys and to the mouse.

Every number is computed here once more, by a trainer of this process with the same experiment at the same step.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from app.stage.microscope.values import values
from engine.experiment import Experiment
from engine.intervention.intervention import HoldGate, SetState
from engine.preset import load_preset
from engine.training import Trainer
from tests.browser.conftest import Playground

pytestmark = pytest.mark.browser

STAGE = "playground.stage"
READY = f"{STAGE}.patched.length > 0 && {STAGE}.frame.step === playground.step"
SEEN = "each => each.checkVisibility() && each.getBoundingClientRect().width > 0"
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
UNITS = {"": 1.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
GROWS = 1 / 6  # of the ribbon's width at 1, for every tenfold


def trained(experiment: Experiment, step: int) -> Trainer:
    trainer = Trainer(experiment)
    while trainer.step < step:
        trainer.advance()
    return trainer


@cache
def short_run(**settings: Any) -> Trainer:
    """A network after the only three updates of its run."""
    return trained(Experiment(**settings, steps=3), 3)


def opened(visit, **settings: Any) -> tuple[Playground, Trainer]:
    """The page of such a run when it has finished, and the same network in this process."""
    page = visit("&".join(f"{name}={str(value).lower()}" for name, value in settings.items()) + "&steps=3")
    page.wait(f"playground.phase === 'finished' && playground.step === 3 && {READY}")
    assert page.page.locator("[data-testid=stAlert]").count() == 0  # it is that run
    return page, short_run(**settings)


# ---- what is read back from the page


def number(text: str) -> float:
    """A number as it is written: 0.43, −2, 1.4·10⁻⁸, 43%, 1 in 60 million, × 33."""
    text = text.replace("−", "-").replace(",", "").strip()
    if match := re.fullmatch(r"1 in ([\d.]+)(?:·10(\S+))? ?(\w*)", text):
        return 1 / (float(match[1]) * 10 ** int((match[2] or "0").translate(RAISED)) * UNITS[match[3]])
    if match := re.fullmatch(r"(?:× )?(-?[\d.]+)(?:·10(\S+?))?( ?%)?", text):
        return float(match[1]) * 10 ** int((match[2] or "0").translate(RAISED)) * (0.01 if match[3] else 1)
    return {"exactly 0": 0.0}[text]


def drawn(page: Playground, selector: str) -> list[str]:
    """The texts of what can be seen of the picture."""
    return page.get(
        f"[...document.querySelectorAll(argument)].filter({SEEN}).map(each => each.textContent)",
        f".stage-svg {selector}",
    )


def array(page: Playground, path: str) -> np.ndarray:
    return np.array(page.get(f"Array.from({STAGE}.{path})"), float)


def widths(page: Playground, chain: int = 0) -> dict[float, float]:
    """{x: width} of a chain's ribbon, from its upper edge: the ends of the curves between two columns."""
    path = page.get("document.querySelectorAll('.stage-svg .edge + .river')[argument].getAttribute('d')", chain)
    upper = re.split("[MCL]", path.split("L")[0])[1:]
    lower = path.split("L")[1]
    ends = [[float(each) for each in part.split()[-2:]] for part in upper]
    floor = [[float(each) for each in part.rstrip("Z").split()[-2:]] for part in lower.split("C")][::-1]
    assert [x for x, _ in ends] == [x for x, _ in floor]
    return {x: below - above for (x, above), (_, below) in zip(ends, floor, strict=True)}


def check_ribbon(page: Playground, relative: np.ndarray, chain: int = 0) -> None:
    """A sixth less of the width at 1 for every tenfold, at least a hairline, nothing for exactly 0."""
    at = page.get(f"(({{ one, lane, grid }}) => ({{ one, lane, x: grid.map(({{ x }}) => x) }}))({STAGE}.at)")
    found = widths(page, chain)
    with np.errstate(divide="ignore"):
        law = at["one"] * (1 + np.clip(np.log10(relative), -6, 4) * GROWS)
    expected = np.where(relative > 0, np.maximum(1, law), 0)
    assert len(set(expected.round())) > 2  # or nothing is checked
    for x, width in zip(at["x"], np.minimum(expected, at["lane"] + 4), strict=True):
        key = min(found, key=lambda each: abs(each - x))
        assert abs(key - x) < 0.06 and found[key] == pytest.approx(width, abs=0.25)


def same_size(text: str, size: float) -> bool:
    return number(text) == pytest.approx(float(size), rel=0.06)


# ---- the first lesson


def test_the_first_lesson_shows_the_lenss_numbers_and_answers_to_keys_and_mouse(visit):
    page = visit("preset=remember&steps=1000000&speed=slow")
    page.wait(READY)
    check_nothing_is_made_anew(page)
    step = page.pause()
    page.wait(READY)
    trainer = trained(load_preset("remember").experiment.replace(steps=1_000_000), step)
    check_numbers(page, trainer)
    check_keys(page, trainer)
    check_matrices(page, trainer)
    check_dots(page)
    check_calm(page)


def check_nothing_is_made_anew(page: Playground) -> None:
    """While frames play and it is folded and unfolded, the picture's elements stay, and no new ones are added."""
    mark = "(window.kept = [...document.querySelectorAll('.stage-svg, .stage-svg *, .stage-picture canvas')]).length"
    count = page.get(mark)
    assert count > 100
    page.frames(2)
    fold = "document.querySelector('.stage-fold').textContent.trim()"
    for to, then in ((0, "Unfold U"), (1, "Fold U")):
        page.page.keyboard.press("u")
        page.wait(f"{STAGE}.view.fold === argument", to)
        assert page.get(fold) == then
        assert page.get("document.querySelector('.stage-svg .loop').checkVisibility()") == (to == 0)
        page.frames(3)
        assert page.get("window.kept.every(each => each.isConnected)")
    assert page.get("document.querySelectorAll('.stage-svg *').length") < count + 60  # the cards of the deck
    assert page.get("playground.phase") == "running"


def check_numbers(page: Playground, trainer: Trainer) -> None:
    frame = trainer.frame()
    relative, norms = frame.relative[0, 0], frame.sequence_grad_norm_memory[0, 0]
    np.testing.assert_allclose(array(page, "look().relative"), relative, rtol=1e-4)
    check_ribbon(page, relative)
    assert same_size(drawn(page, ".arrives")[0], relative[0])
    cards = page.get(f"{STAGE}.at.grid.filter(({{ card }}) => card).map(({{ t }}) => t)")
    labels = page.get(
        f"Object.fromEntries([...document.querySelectorAll('.stage-svg .grad')].filter({SEEN})"
        ".map(each => [each.parentNode.dataset.t, each.textContent]))"
    )
    assert cards[0] == 0 and cards[-1] == 39 and {int(t) for t in labels} == set(cards) and len(cards) >= 4
    assert all(same_size(label, relative[int(t)]) for t, label in labels.items())
    answer, (said, chance) = frame.outputs[39], drawn(page, ".says tspan")
    assert said == f"“{answer.argmax()}”" and number(chance) == pytest.approx(answer.max(), abs=0.006)
    (note,) = drawn(page, ".says .note")
    right = answer.argmax() == frame.targets[39]
    verdict, loss = note.split(" · loss ")
    assert verdict == ("✓ right" if right else f"✕ should be {frame.targets[39]}")
    assert same_size(loss, frame.loss_per_step[39])
    check_table(page, frame)
    sums = page.get("""Object.fromEntries([...document.querySelectorAll('.stage-formula .stage-term')]
        .map(term => [term.querySelector('i').textContent, term.querySelector('b').textContent]))""")
    t, unit = page.get(f"{STAGE}.view.t"), page.get(f"{STAGE}.view.unit")
    at = "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(t))
    assert number(sums[f"h{at}"]) == pytest.approx(frame.hidden[0, 0, t, unit], abs=0.006)
    assert number(sums[f"Wxh x{at}"]) == pytest.approx(frame.from_input[t, 0, unit], abs=0.006)
    assert number(sums["p(right)"]) == pytest.approx(answer[frame.targets[39]], abs=0.006)
    assert same_size(sums["l₃₉ = −ln p"], frame.loss_per_step[39])
    for name, here in (("₃₉", 39), (at, t), ("₀", 0)):
        assert same_size(sums[f"‖Dh{name}‖"], norms[here])


def check_table(page: Playground, frame) -> None:
    """The numbers behind the picture."""
    page.page.locator(".stage-numbers summary").click()
    page.wait("document.querySelectorAll('.stage-numbers tr').length === 41")
    head, *rows = page.get(
        "[...document.querySelectorAll('.stage-numbers tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert head[0] == "t" and [int(row[0]) for row in rows] == list(range(40))
    assert [row[1] for row in rows] == [str(symbol) for symbol in frame.inputs]
    assert all(row[2:5] == ["", "", ""] for row in rows[:-1]) and rows[-1][3] == str(frame.targets[39])
    norms = frame.sequence_grad_norm_memory[0, 0]
    for row, size, norm in zip(rows, frame.relative[0, 0], norms, strict=True):
        assert same_size(row[5], size) and same_size(row[6], norm)
    page.page.locator(".stage-numbers summary").click()


def check_keys(page: Playground, trainer: Trainer) -> None:
    """One stop of the tab key; arrows choose a step and leave the timeline; Enter opens the cell, Escape closes it."""
    keyboard, focused = page.page.keyboard, "document.activeElement.classList.contains('stage-svg')"
    step = page.step
    page.page.locator(".stage-dots").focus()
    keyboard.press("Tab")
    assert page.get(focused)
    keyboard.press("Tab")
    assert not page.get("document.activeElement.closest('.stage-place') !== null")
    keyboard.press("Shift+Tab")
    assert page.get(focused)
    for key, t in (
        ("End", 39),
        ("ArrowRight", 39),
        ("ArrowLeft", 38),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
    ):
        keyboard.press(key)
        assert page.get(f"{STAGE}.view.t") == t
    page.wait("document.querySelector('.lv-cursor').textContent === 't = 2'")  # in the figures below it, too
    keyboard.press("Enter")
    micro = page.page.get_by_role("dialog")
    page.wait(f"{STAGE}.frame.cellOf.join() === '2,0,0,0' && {STAGE}.frame.cellUnits?.length === 32")
    assert micro.get_attribute("aria-label") == "RNN at t = 2, unit 0 of 32"
    check_cell(page, trainer, 2, 0)
    micro.get_by_role("button", name="one step later").click()
    micro.get_by_role("button", name="follow unit 5").click()
    page.wait(f"{STAGE}.frame.cellOf.join() === '3,0,0,5'")
    check_cell(page, trainer, 3, 5)
    keyboard.press("Escape")
    assert micro.is_hidden() and page.get(focused)
    assert page.step == step and page.get("playground.at") is None and page.get("playground.phase") == "paused"


def check_cell(page: Playground, trainer: Trainer, t: int, unit: int) -> None:
    """The numbers under the microscope: of the equations, in two digits."""
    expected = {name: float(each) for name, each in values(trainer.info, trainer.frame(), 0, 0, unit, t).items()}
    page.wait("document.querySelector('.stage-micro').ariaLabel.includes(argument)", f"t = {t}, unit {unit} ")
    shown = page.get("""[...document.querySelectorAll('.ms-sums .ms-line .ms-term')]
        .map(term => [term.dataset.v, term.querySelector('b').textContent]).filter(([, text]) => text)""")
    assert {"h", "W_x h", "W_h h"} <= {name for name, _ in shown}
    for name, text in shown:
        near = 0 if text == "≈ 0" else number(text)
        assert near == pytest.approx(expected[name], abs=0.0051), name


def check_matrices(page: Playground, trainer: Trainer) -> None:
    """Hover lights every copy of a matrix and says how often it is used; a press opens all its weights."""
    weights = safetensors.numpy.load(trainer.weights())
    names = {"xh": "recurrent.weight_ih_l0", "hh": "recurrent.weight_hh_l0", "hy": "head.weight"}
    for key, times in (("xh", "used 40 times"), ("hh", "used 39 times"), ("hy", "used once")):
        page.page.locator(f".stage-legend [data-w={key}]").hover()
        lit = page.get("[...document.querySelectorAll('.stage-svg .lit')].map(each => each.dataset.w)")
        assert set(lit) == {key} and len(lit) == page.get(
            "document.querySelectorAll(`.stage-svg [data-w=${argument}]`).length", key
        )
        said = page.page.locator(".stage-shared").inner_text()
        assert times in said
        assert same_size(said.split("mean |W| ")[1], np.abs(weights[names[key]]).mean())
    page.page.mouse.move(5, 5)
    assert page.get("document.querySelectorAll('.stage-svg .lit').length") == 0
    button, menu = page.page.locator(".stage-legend [data-w=xh]"), page.page.locator(".stage-menu")
    button.click()
    page.wait("/mean/.test(document.querySelector('.stage-menu').textContent)")
    matrix = weights["recurrent.weight_ih_l0"]
    said = menu.locator("span").last.inner_text()
    assert said.startswith("32 × 10, ") and f"at update {page.step:,}" in said
    assert same_size(re.search(r"mean \|W\| (\S+),", said)[1], np.abs(matrix).mean())
    assert same_size(re.search(r"to \+(\S+),", said)[1], np.abs(matrix).max())
    np.testing.assert_allclose(
        array(page, "frame.weights").reshape(32, 10), matrix, atol=np.abs(matrix).max() / 254 + 1e-6
    )
    row, column = np.unravel_index(np.abs(matrix).argmax(), matrix.shape)
    pixel = page.get(
        "[...document.querySelector('.stage-menu canvas').getContext('2d').getImageData(...argument, 1, 1).data]"
        ".slice(0, 3)", [int(column), int(row)],
    )  # fmt: skip
    assert pixel == page.get(COLOUR, "purple" if matrix[row, column] > 0 else "teal")
    page.page.keyboard.press("Escape")
    assert menu.is_hidden()


COLOUR = """(probe => {
    probe.style.color = `var(--stage-${argument})`;
    document.querySelector('.stage').append(probe);
    const found = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
    probe.remove();
    return found;
})(document.createElement('i'))"""
"""[red, green, blue] of one of the stage's colours."""


def check_dots(page: Playground) -> None:
    """A thousand dots set out; of this network's gradient none arrives."""
    before = drawn(page, ".arrives")
    page.page.keyboard.press("d")
    page.wait("document.querySelector('.stage-svg .arrives').textContent === '0 of 1,000'")
    assert page.page.locator(".stage-dots").get_attribute("aria-pressed") == "true"
    canvas = "document.querySelector('.stage-dots-canvas')"
    pixels = f"{canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height).data.buffer"
    page.wait(f"new Uint32Array({pixels}).some(each => each)")
    assert re.fullmatch(r"[\d,]+ on their way", drawn(page, ".arrives-at")[0])
    page.page.keyboard.press("d")
    assert drawn(page, ".arrives") == before
    assert page.page.locator(".stage-dots").get_attribute("aria-pressed") == "false"


def check_calm(page: Playground) -> None:
    """Who asked for less motion sees no dots, and it folds at once."""
    page.page.emulate_media(reduced_motion="reduce")
    assert page.page.locator(".stage-dots").is_hidden()
    page.page.keyboard.press("d")
    assert drawn(page, ".arrives")[0] != "0 of 1,000"
    for fold in (0, 1):
        page.page.keyboard.press("u")
        assert page.get(f"{STAGE}.view.fold") == fold


# ---- choices


def test_a_press_on_an_answer_follows_its_loss(visit):
    settings = {"task": "xor", "rnn_type": "many_to_many", "cell": "gru", "hidden_size": 8, "seq_len": 9}
    page, trainer = opened(visit, **settings)
    usual = trainer.frame()
    np.testing.assert_allclose(array(page, "look().relative"), usual.relative.ravel(), rtol=1e-4)
    back = page.page.locator(".stage-follow")
    assert back.is_hidden()
    page.page.locator('.says[data-t="4"] .said').click()
    page.wait(f"{STAGE}.look().follow === 4")
    followed = trainer.frame({"followed:4"}).followed.relative[0, 0]
    assert (followed[5:] == 0).all() and abs(followed[0] / usual.relative[0, 0, 0] - 1) > 0.1  # another one
    np.testing.assert_allclose(array(page, "look().relative"), followed, rtol=1e-4)
    check_ribbon_of_followed(page, followed[:5])
    assert same_size(drawn(page, ".arrives")[0], followed[0])
    assert back.inner_text() == "loss at t = 4 ✕"
    assert page.page.locator(".says.followed").get_attribute("data-t") == "4"
    back.click()
    page.wait(f"{STAGE}.look().follow === null")
    np.testing.assert_allclose(array(page, "look().relative"), usual.relative.ravel(), rtol=1e-4)
    check_ribbon(page, usual.relative[0, 0])
    assert back.is_hidden()


def check_ribbon_of_followed(page: Playground, relative: np.ndarray) -> None:
    """The ribbon ends where the loss enters."""
    found = sorted(widths(page).items())
    columns = page.get(f"{STAGE}.at.grid.map(({{ x }}) => x)")[: len(relative)]
    assert found[-1][0] == pytest.approx(columns[-1], abs=0.06) and len(found) == len(relative) + 1
    one = page.get(f"{STAGE}.at.one")
    law = one * (1 + np.clip(np.log10(relative), -6, 4) * GROWS)
    assert [width for _, width in found[1:]] == pytest.approx(np.maximum(1, law).tolist(), abs=0.25)


def test_a_typed_word_is_read_and_answered_and_what_cannot_be_read_is_said(visit):
    settings = {"task": "themselves", "rnn_type": "many_to_one", "cell": "lstm", "hidden_size": 8}
    page, trainer = opened(visit, **settings)
    drawn_words, usual = page.get(f"{STAGE}.frame.words"), trainer.frame()
    says = drawn(page, ".says text")
    first = next(word for word in ("they", "she", "he") if word != drawn_words[0])
    typed = trainer.typed_frame({0: first})
    typing, back = (
        page.page.locator(".stage-menu input"),
        page.page.get_by_role("button", name="Back to the sequence drawn"),
    )
    chip = page.page.locator('.stage-svg .chip[data-t="0"]')
    chip.click()
    assert typing.input_value() == drawn_words[0]
    typing.fill(first)
    typing.press("Enter")
    page.wait(f"{STAGE}.frame.words[0] === argument", first)
    assert chip.locator(".word").text_content() == first
    answer, target = typed.frame.outputs[11], typed.frame.targets[11]
    labels = trainer.info.output_labels
    said, chance = drawn(page, ".says tspan")
    assert said == labels[answer.argmax()] and number(chance) == pytest.approx(answer.max(), abs=0.006)
    assert labels[target] == {"they": "themselves", "she": "herself", "he": "himself"}[first]
    (note,) = drawn(page, ".says .note")
    assert note.startswith("✓ right" if answer.argmax() == target else f"✕ should be {labels[target]}")
    assert same_size(note.split(" · loss ")[1], typed.frame.loss_per_step[11])
    norms = typed.frame.sequence_grad_norm_memory[0, 0]
    np.testing.assert_allclose(array(page, "frame.norms"), norms, rtol=1e-3)
    assert abs(norms[0] / usual.sequence_grad_norm_memory[0, 0, 0] - 1) > 1e-3
    chip.click()
    typing.fill("two words")
    typing.press("Enter")
    problem = page.page.locator(".stage-problem")
    problem.wait_for()
    assert "At position 0: “two words” cannot be read at one step" in problem.inner_text()
    back.click()
    page.wait(f"{STAGE}.frame.words[0] === argument", drawn_words[0])
    assert problem.is_hidden() and back.is_hidden() and drawn(page, ".says text") == says
    assert page.page.locator(".stage-svg .typed").count() == 0
    ask = page.page.locator(".stage-ask input")
    ask.fill("My mother wanted some wine for")
    ask.press("Enter")
    page.page.locator(".stage-ask-note", has_text="It does not know “my”, “mother”").wait_for()
    ask.fill("She wanted some wine for")
    ask.press("Enter")
    page.wait(f"{STAGE}.info.steps === 5")
    assert page.get(f"{STAGE}.frame.words") == ["she", "wanted", "some", "wine", "for"]
    own = trainer.typed_frame({}, sentence="she wanted some wine for").frame
    assert number(drawn(page, ".says tspan")[1]) == pytest.approx(own.outputs[-1].max(), abs=0.006)
    back.click()
    page.wait(f"{STAGE}.info.steps === argument", len(drawn_words))


# ---- other networks


def test_a_stack_that_reads_both_ways_has_a_ribbon_for_every_chain(visit):
    settings = {
        "task": "sentiment",
        "rnn_type": "many_to_one",
        "cell": "gru",
        "hidden_size": 8,
        "num_layers": 2,
        "bidirectional": True,
    }
    page, trainer = opened(visit, **settings)
    frame = trainer.frame()
    real = np.flatnonzero(frame.valid)
    assert len(real) < trainer.info.time_steps  # padding is not drawn
    assert page.get(f"{STAGE}.info.at") == real.tolist()
    assert (
        page.get(
            "[...document.querySelectorAll('.edge + .river')].filter(each => each.getAttribute('d') !== 'M0 0').length"
        )
        == 4
    )
    norms = frame.sequence_grad_norm_memory[:, :, real]
    enters = np.array([trainer.info.enters(d) for d in range(2)])
    own = norms / frame.sequence_grad_norm_memory[:, [0, 1], enters][..., None]
    np.testing.assert_allclose(array(page, "look().relative"), own.ravel(), rtol=1e-3)
    one, lane = page.get(f"[{STAGE}.at.one, {STAGE}.at.lane]")
    for chain, sizes in enumerate(own.reshape(4, -1)):
        law = np.minimum(np.maximum(1, one * (1 + np.clip(np.log10(sizes), -6, 4) * GROWS)), lane + 4)
        found = [width for _, width in sorted(widths(page, chain).items())]
        reached = found[:-1] if chain % 2 else found[1:]  # beyond the end of the chain there is the ribbon's tip
        assert reached == pytest.approx(law.tolist(), abs=0.25)


def test_padding_is_not_drawn_between_encoder_and_decoder(visit):
    settings = {"task": "english_french", "rnn_type": "encoder_decoder", "cell": "gru", "hidden_size": 8}
    page, trainer = opened(visit, **settings)
    frame = trainer.frame()
    real = np.flatnonzero(frame.valid)
    assert len(real) < len(frame.valid)
    columns = page.get(f"{STAGE}.at.grid.length")
    assert (
        columns == len(real) == len(page.get(f"{STAGE}.frame.words")) and page.get(f"{STAGE}.info.at") == real.tolist()
    )
    ticks = [int(each) for each in drawn(page, ".col .tick")]
    assert ticks and set(ticks) <= set(real.tolist())
    assert len(drawn(page, ".context")) == 1
    x = {"context": page.get(f"{STAGE}.at.crossing"), **dict(enumerate(page.get(f"{STAGE}.at.grid.map(g => g.x)")))}
    last = int((real < trainer.info.encoder_steps).sum())
    assert x[last - 1] < x["context"] < x[last]
    assert not page.get("document.querySelectorAll('.stage-svg .attends').length")


def test_bands_are_as_wide_as_what_a_step_of_the_decoder_reads(visit):
    settings = {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "gru", "hidden_size": 8, "attention": "dot"}
    page, trainer = opened(visit, **settings, learning_rate=0.03)
    frame, encoder = trainer.frame(), trainer.info.encoder_steps
    real = np.flatnonzero(frame.valid)
    source, target = real[real < encoder], real[real >= encoder]
    check_bands(page, frame.attention.weights[target[-1] - encoder][source], int(target[-1]))  # an encoder's is chosen
    page.page.locator(f'.says[data-t="{len(real) - 2}"] .said').click()
    page.wait(f"{STAGE}.look().follow === {len(real) - 2}")
    check_bands(page, frame.attention.weights[target[-2] - encoder][source], int(target[-2]))
    page.page.locator(".stage-svg").focus()
    page.page.keyboard.press("End")
    page.page.keyboard.press("Home")  # back to the loss that is followed
    check_bands(page, frame.attention.weights[target[-2] - encoder][source], int(target[-2]))
    page.page.locator(".stage-numbers summary").click()
    (column,) = page.get(
        "[[...document.querySelectorAll('.stage-numbers tr')].map(row => row.cells[row.cells.length - 1].textContent)]"
    )
    assert column[0] == f"read at t = {target[-2]}" and sum(bool(each) for each in column[1:]) == len(source)


def check_bands(page: Playground, weights: np.ndarray, t: int) -> None:
    """A band for each state of the encoder: its outline, its share, and what is said of the largest."""
    page.wait("document.querySelector('.stage-svg').ariaLabel.includes(argument)", f"At t = {t} it reads ")
    outlines = page.get(f"[...document.querySelectorAll('.stage-svg .attends[data-t]')].filter({SEEN}).map("
                        "each => [Number(each.dataset.t), each.getAttribute('d')])")  # fmt: skip
    s = page.get(f"{STAGE}.at.s")
    assert sorted(j for j, _ in outlines) == list(range(len(weights)))
    for j, outline in outlines:
        a, b = float(outline[1:].split()[0]), float(re.findall(r" ([\d.]+) [\d.]+V", outline)[-1])
        assert b - a == pytest.approx(max(0.6, 12 * s * weights[j]), abs=0.15)
    shares = drawn(page, ".attended")
    assert [number(each) for each in shares] == pytest.approx(weights.tolist(), abs=0.006)
    most = int(weights.argmax())
    label = page.page.locator(".stage-svg").get_attribute("aria-label")
    assert f"it reads {weights[most] * 100:.0f}% of the state at t = {most}." in label


def test_a_feed_forward_network_hears_nothing_back(visit):
    settings = {
        "task": "first_symbol_recall",
        "rnn_type": "many_to_one",
        "cell": "feedforward",
        "hidden_size": 8,
        "seq_len": 8,
    }
    page, _ = opened(visit, **settings)
    assert page.get(
        "[...document.querySelectorAll('.stage-svg .river')].every(each => each.getAttribute('d') === 'M0 0')"
    )
    assert page.get("document.querySelectorAll('.stage-svg [data-w=hh]').length") == 0
    assert [each for each in drawn(page, ".arrives") if each] == [] and drawn(page, ".grad") == []
    page.page.keyboard.press("d")
    assert page.page.locator(".stage-dots").get_attribute("aria-pressed") != "true"


def test_a_thousand_steps_are_drawn_within_the_page(visit):
    settings = {
        "task": "first_symbol_recall",
        "rnn_type": "many_to_one",
        "cell": "rnn",
        "hidden_size": 2,
        "seq_len": 1000,
        "batch_size": 2,
    }
    page, trainer = opened(visit, **settings)
    x = np.array(page.get(f"{STAGE}.at.grid.map(({{ x }}) => x)"))
    assert len(x) == 1000 and (np.diff(x) > 0).all() and x[0] > 0 and x[-1] < page.get(f"{STAGE}.at.W")
    svg, board = (page.page.locator(each).bounding_box() for each in (".stage-svg", ".stage"))
    assert board["x"] <= svg["x"] and svg["x"] + svg["width"] <= board["x"] + board["width"] <= 1440
    assert page.get("document.documentElement.scrollWidth <= innerWidth")
    assert page.get("document.querySelectorAll('.stage-svg *').length") < 1500
    relative = trainer.frame().relative[0, 0]
    normal = relative > 1e-290  # a worker flushes what is smaller than a number can be
    assert normal.sum() > 300
    np.testing.assert_allclose(array(page, "look().relative")[normal], relative[normal], rtol=1e-3)
    check_ribbon(page, relative)


# ---- interventions


def test_a_gate_held_shut_is_seen_beside_the_network_as_it_is_and_escape_leads_back(visit):
    page, trainer = opened(visit, task="first_symbol_recall", cell="lstm", hidden_size=6, seq_len=7)
    usual = trainer.frame()
    page.page.locator(".stage-svg .cell").nth(1).click()
    page.page.get_by_role("button", name="Hold the forget gate shut at all steps").click()
    page.wait(f"{STAGE}.frame.changes?.length === 1")
    changed = trainer.changed_frame([HoldGate(layer=0, gate="forget_gate", value=0)])
    np.testing.assert_allclose(array(page, "look().relative"), changed.frame.relative.ravel(), rtol=1e-4)
    np.testing.assert_allclose(array(page, "frame.wasRelative"), changed.untouched.relative.ravel(), rtol=1e-4)
    assert page.page.locator(".ms-sums b", has_text="0.00 (set)").count()  # f is not what its sum says
    page.page.keyboard.press("Escape")  # the cell closes, and the change stays
    page.page.locator(".stage-changes", has_text="forget gate held shut, layer 1, all steps").wait_for()
    assert number(drawn(page, ".arrives")[0]) == pytest.approx(changed.frame.relative[0, 0, 0], rel=0.06, abs=0.006)
    was = drawn(page, ".arrives-at")[0].split("was ")[1]
    assert number(was) == pytest.approx(changed.untouched.relative[0, 0, 0], abs=0.006)
    answer = changed.untouched.outputs[-1]
    assert drawn(page, ".says .note")[0].startswith(f"was “{answer.argmax()}”")
    page.page.keyboard.press("Escape")
    page.wait(f"{STAGE}.frame.changes.length === 0")
    assert page.page.locator(".stage-changes").is_hidden()
    page.page.locator(".stage-svg .cell").nth(1).click()
    page.page.get_by_label("What to set").select_option("h of this unit, here")
    page.page.get_by_label("To which number").fill("0.75")
    page.page.get_by_label("To which number").press("Enter")
    page.wait(f"{STAGE}.frame.changes?.length === 1")
    changed = trainer.changed_frame([SetState(layer=0, t=1, unit=0, value=0.75)])
    np.testing.assert_allclose(array(page, "look().relative"), changed.frame.relative.ravel(), rtol=1e-4)
    said = page.page.locator(".stage-now")
    assert f"It says {changed.frame.outputs[-1].argmax()} " in said.inner_text()  # the open cell covers the picture
    page.page.get_by_label("What to set").select_option("f at this step")
    page.page.get_by_label("To which number").fill("7")
    page.page.get_by_label("To which number").press("Enter")
    said.get_by_text("must be").wait_for()
    assert "but got 7" in said.inner_text()
    page.wait(f"{STAGE}.frame.changes?.length === 1")  # what was changed before stays
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Escape")
    page.wait(f"{STAGE}.frame.changes.length === 0")
    np.testing.assert_allclose(array(page, "look().relative"), usual.relative.ravel(), rtol=1e-4)
