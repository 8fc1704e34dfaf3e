"""The glossary: every word that needs one is there, every link leads somewhere. And the contrast of words and lines."""

from __future__ import annotations

import re
from html import unescape

import pytest

from app import setting_help, text
from app.figures import FIGURES
from app.glossary import page as glossary_page
from app.glossary import terms
from app.live import assets
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.preset import list_presets
from tests.cases import for_each
from tests.colours import contrast

WORDS = (
    "accuracy attention(_weights?)? back-propagation baseline batch bias both_ways bottleneck candidate cell_state "
    "chain clip(ped|ping)? context_vector cosine cross-entropy decoder direct dropout eigenvalues? embedding encoder "
    "epoch exploding factors? feed-forward forget_bias forget_gate gated gates? gradients? half-life hidden_state "
    "initial_weights input_gate jacobian lag layers? learning_rate logits? loss(es)? lyapunov median momentum "
    "nats noise norm Omega Ω one-hot optimiser orthogonal output_gate overfitting padding peephole perplexity "
    "plateau probe ratio recurrent_weights reset_gate saliency saturated saturation seed singular_values? slopes? "
    "spectral_radius squared_error squashing_function states? symbols? targets? teacher_forcing temperature "
    "threshold tokens? total training_step truncat(ed|ion) underflow units? unrolled updates? update_gate "
    "vanish(ed|ing)? vocabulary waterfall weight_decay weights?"
)
"""What needs explaining, as patterns; _ stands for a space."""
JARGON = re.compile(rf"\b({WORDS.replace(' ', '|').replace('_', ' ').replace('(', '(?:')})\b", re.IGNORECASE)
NETWORKS = [
    Experiment(task="first_symbol_recall", rnn_type="many_to_one", cell="rnn"),
    Experiment(task="characters", rnn_type="many_to_many", cell="lstm", embedding_size=8, num_layers=2),
    Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", attention="dot"),
    Experiment(task="sentiment", rnn_type="many_to_one", cell="gru", bidirectional=True, embedding_size=8),
]


def known() -> set[str]:
    """All names and other words of the glossary, each also without the s of many."""
    words = {word.lower() for term in terms.TERMS for word in (term.name, *term.also, term.sign)}
    return words | {word.removesuffix("s") for word in words} | {word.split()[0] for word in words if "-" in word}


def sentences() -> list[str]:
    """What stands beside the controls, and above the figures of quite different networks."""
    infos = [RunInfo.of(each) for each in NETWORKS]
    shown = [figure.look_for(info) for figure in FIGURES.values() for info in infos if figure.applies(info)]
    return [*text.HELP.values(), *setting_help.LABELS.values(), *shown]


def test_every_word_of_the_trade_that_the_pages_use_is_explained():
    used = {term.lower() for each in sentences() for term in JARGON.findall(each)}
    stem = {"clipped": "clipping", "truncated": "truncation", "losses": "loss"}
    assert len(used) > 30  # else nothing was looked for
    assert {
        word for word in used if stem.get(word, word.removesuffix("s")) not in known() and word not in known()
    } == set()


def test_terms_stand_in_order_each_once_with_a_place_of_its_own():
    names = [term.name.lower() for term in terms.TERMS]
    assert names == sorted(names) and len({term.anchor for term in terms.TERMS}) == len(names)
    assert {"gradient", "t", "half-life", "lyapunov-exponent"} <= {term.anchor for term in terms.TERMS}


@for_each({"term": terms.TERMS})
def test_a_term_is_short_and_leads_to_where_it_can_be_seen(term):
    assert term.means.endswith(".") and len(re.findall(r"[.:;!?](?:\s|$)", term.means)) <= 3 and len(term.means) < 200
    assert bool(term.lesson) != bool(term.page)
    assert not term.lesson or term.lesson in {preset.slug for preset in list_presets()}
    assert not term.page or term.page in terms.PAGES
    (link,) = re.findall(r'href="(/[^"]*)"', terms.entry(term))
    assert link == (f"/?preset={term.lesson}" if term.lesson else "/" if term.page == "playground" else f"/{term.page}")


def test_what_is_written_in_signs_is_text_and_nothing_else():
    (unknown,) = [term for term in terms.TERMS if term.name == "unknown word"]
    drawn = terms.entry(unknown)
    assert "<UNK>" not in drawn and "<UNK>" in unescape(drawn)
    assert glossary_page.MARKUP.count('<div id="') == len(terms.TERMS)


# ---- colours of words and of lines


def mixed(one: str, other: str, share: float) -> str:
    """CSS color-mix in srgb: so much of one, the rest of the other."""
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def tones() -> dict[str, str]:
    """The colour of each tone of the verdict, as the style sheet has it."""
    return dict(re.findall(r'data-tone="(\w+)"\] \{ --tone: (#\w{6})', assets.STYLE))


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_have_a_contrast_of_4_5_and_signs_of_3_on_every_ground(name):
    theme = themes()[name]
    ground, words, link = theme["backgroundColor"], theme["textColor"], theme["primaryColor"]
    quiet = int(re.search(r"--quiet: color-mix\(in srgb, var\(--st-text-color\) (\d+)%", assets.STYLE)[1]) / 100
    sign = int(re.search(r"lv-sign \{ color: color-mix\(in srgb, var\(--tone\) (\d+)%", assets.STYLE)[1]) / 100
    tint = int(re.search(r"background: color-mix\(in srgb, var\(--tone\) (\d+)%", assets.STYLE)[1]) / 100
    for behind in (ground, theme["secondaryBackgroundColor"]):
        assert contrast(words, behind) >= 7 and contrast(mixed(words, behind, quiet), behind) >= 4.5
        assert contrast(link, behind) >= 4.5  # links, and the words on the cure button the other way round
    assert len(tones()) == 3
    for tone in tones().values():
        behind = mixed(tone, ground, tint)
        assert contrast(mixed(words, behind, quiet), behind) >= 4.5
        assert contrast(mixed(tone, words, sign), behind) >= 4.5
        assert contrast(tone, ground) >= 3


def themes() -> dict[str, dict[str, str]]:
    """The two themes of the configuration."""
    themes_found: dict[str, dict[str, str]] = {}
    written = (assets.HERE.parents[1] / ".streamlit" / "config.toml").read_text()
    for name, part in re.findall(r"\[theme\.(\w+)\]\n((?:\w+ = .*\n?)+)", written):
        themes_found[name] = dict(re.findall(r'(\w+) = "(#\w{6})"', part))
    return themes_found


def test_less_motion_is_honoured_by_the_style_sheet_of_the_figures():
    rule = re.search(r"@media \(prefers-reduced-motion: reduce\) \{\s*([^@]*?)\n\}", assets.STYLE)
    assert rule and "transition: none !important" in rule[1] and "animation: none !important" in rule[1]
