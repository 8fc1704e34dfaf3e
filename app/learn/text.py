"""The text of the course around its lessons: chapters, progress, predictions and their results."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from app import data_text, links, text
from app.figures import FIGURES
from app.text import KINDS
from app.verdicts import VERDICTS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.live_settings import live_settings
from engine.number_format import amount
from engine.preset import ASK, Prediction, Preset, SeenAs, setting_links

CHAPTERS = {
    "What a state is for": "A network that remembers, beside the same network without memory.",
    "Far back in time": "Why a plain network forgets an early input, and what a gate changes.",
    "Five kinds of network": "At which steps inputs enter and answers leave: once, or at every step.",
    "Gradients that shrink and grow": "By which factor each step back multiplies the gradient, and how to control it.",
    "Deeper, and both ways": "A second chain that reads from the end, and layers on top of layers.",
    "Words and symbols": "From words to numbers: embeddings, padding, agreement, counting.",
    "What to expect": "What no network can know, and which cell to choose.",
    "More kinds of data": "Gaps, uneven steps, sounds, dates, headlines.",
    "Newer cells": "Normalisation inside a cell, gates that read the input alone, and steps that need not wait.",
    "Attention": "A decoder that reads every state of its encoder: when it helps, and how to see that it is not used.",
}
"""A sentence for each chapter of the course."""
FAILURES = "When it goes wrong"
BUG_CARDS = "Bugs that everybody writes"
OF_KIND = {"failure": FAILURES, "bug": BUG_CARDS}
"""The chapters of cards, by their kind."""
TEACHER = "From your teacher"
"""The chapter of a teacher's lesson that has none."""
SYMPTOMS = "What do you see?"
SYMPTOMS_NOTE = (
    "Find here what your own network does: each line opens one that does the same, and names the figure that shows it."
)
LOOKED_AT_FIRST = ("loss", "update", "gradient", "hidden", "prediction", ASK)
"""The figures in the order in which somebody with a problem looks at them: by it symptoms are listed."""
ASK_THE_NETWORK = "Ask the network"
SYMPTOMS_ANCHOR = "what-do-you-see"
UNREADABLE = "A file in the folder of your own lessons cannot be used. {problem} All other lessons are here."

BEGIN, CONTINUE = "Begin", "Continue"
ALL_DONE = "You have done every lesson of the course. The cards below show how networks fail."
REMEMBERED = "Remembered in this browser, in a cookie with the names of these lessons and nothing else."
FORGET = "Forget them"
OTHER_DATA = {
    "lesson": "The text below is about the lesson's data, “{theirs}”; the network now reads “{now}”.",
    "failure": "The text below is about the card's data, “{theirs}”; the network now reads “{now}”.",
    "bug": "The text below is about the card's data, “{theirs}”; the network now reads “{now}”.",
}
READ = "Read this chapter"
WRITE = "For teachers: write a lesson of your own"
DRAFT, GO_ON_WRITING = "A draft of yours, which only you can see", "Go on writing"
DONE = "done"
TO_DO, WAS_DONE = "To do", "Done"
SYMPTOM = "In your own code"
WRONG_LINE, RIGHT_LINE = "Wrong", "Right"
PREDICT = "Predict, then run"
GUESS_FIRST, GUESS_STARTS = "A guess comes first.", "Choose an answer to the lesson's question: it starts the run."
SKIP = "Skip the guess"
RUN_IT, LOOK = "Run it", "Look"
YOUR_GUESS = "your guess"
CHANGED = "The settings were changed, so this run does not show the answer. Press the button again to see it."
NOT_YET = "The answer comes at step {step:,}."
SOON = "The answer comes as soon as the run shows it."


# ---- the course


@dataclass(frozen=True)
class Chapter:
    """The presets of one chapter on the Learn page."""

    name: str
    says: str
    presets: tuple[Preset, ...]

    @property
    def anchor(self) -> str:
        """The fragment of its address in the page's contents."""
        return f"chapter-{self.presets[0].slug}"


def chapters(presets: Iterable[Preset]) -> list[Chapter]:
    """The course's chapters, the failure and the bug cards, then the teachers' own chapters."""
    grouped: dict[tuple[bool, str], list[Preset]] = {}
    for preset in presets:
        name = OF_KIND.get(preset.kind, preset.chapter)
        if preset.file:
            name = preset.chapter or TEACHER
        grouped.setdefault((bool(preset.file), name), []).append(preset)
    says = {**CHAPTERS, FAILURES: text.FAILURES_NOTE, BUG_CARDS: text.BUGS_NOTE}
    return [
        Chapter(name, "" if theirs else says.get(name, ""), tuple(together))
        for (theirs, name), together in grouped.items()
    ]


def following(presets: Iterable[Preset], done: Collection[str]) -> Preset | None:
    """The next lesson of the course to do; None if all are done."""
    course = (preset for preset in presets if preset.kind == "lesson" and not preset.file)
    return next((preset for preset in course if preset.slug not in done), None)


def counted(presets: Iterable[Preset], done: Collection[str]) -> str:
    """How many of these are done, in words."""
    slugs = [preset.slug for preset in presets]
    return f"{sum(slug in done for slug in slugs)} of {len(slugs)} done"


def symptoms(presets: Iterable[Preset]) -> list[tuple[Preset, SeenAs]]:
    """Every symptom with the lesson that shows it, by the figure; of one figure those of failure cards first."""
    found = [(preset, seen) for preset in presets for seen in preset.seen_as]

    def place(each: tuple[Preset, SeenAs]) -> tuple[int, bool]:
        figure = each[1].figure
        at = LOOKED_AT_FIRST.index(figure) if figure in LOOKED_AT_FIRST else len(LOOKED_AT_FIRST)
        return at, each[0].kind == "lesson"

    return sorted(found, key=place)


def symptom_link(preset: Preset, seen: SeenAs) -> dict[str, str]:
    """The playground's link to the network that shows a symptom."""
    changed = preset.experiment.replace(**seen.settings)
    return links.to_preset(preset) | links.to_link(changed, preset, preset.speed)


def leads_to(preset: Preset, seen: SeenAs) -> str:
    """Where a symptom leads, and the figure that shows it there, as HTML."""
    info = RunInfo.of(preset.experiment.replace(**seen.settings))
    figure = ASK_THE_NETWORK if seen.figure == ASK else FIGURES[seen.figure].title(info)
    return f"<p>{KINDS[preset.kind]} “{escape(preset.title)}”: look at “{escape(figure)}”.</p>"


def symptoms_heading() -> str:
    """The heading of the list of symptoms, as HTML."""
    return f'<div class="symptoms" id="{SYMPTOMS_ANCHOR}"><h3>{SYMPTOMS}</h3><p>{SYMPTOMS_NOTE}</p></div>'


def progress(presets: Collection[Preset], done: Collection[str]) -> str:
    """How much of the course is done; lessons and failure cards are numbered, and so counted, each by themselves."""
    course = [preset for preset in presets if not preset.file]
    of_kind = {kind: [preset.slug for preset in course if preset.kind == kind] for kind in KINDS}
    parts = [
        f"{sum(slug in done for slug in slugs)} of {len(slugs)} {KINDS[kind].lower()}s"
        for kind, slugs in of_kind.items()
    ]
    return f"{', '.join(parts[:-1])} and {parts[-1]} done"


def other_data(preset: Preset, experiment: Experiment) -> str:
    """What a lesson says of itself once other data were chosen; empty for its own."""
    if experiment.task == preset.experiment.task:
        return ""
    theirs, now = data_text.title(preset.experiment), data_text.title(experiment)
    return OTHER_DATA[preset.kind].format(theirs=theirs, now=now)


def contents(chapters: Iterable[Chapter], done: Collection[str]) -> str:
    """Links within the page, as HTML: the chapters, each with its progress, and the list of symptoms."""
    symptoms = f'<a href="#{SYMPTOMS_ANCHOR}" target="_self">{SYMPTOMS}</a>'
    entries = (
        f'<a href="#{chapter.anchor}" target="_self">{escape(chapter.name)}'
        f"<span>{sum(preset.slug in done for preset in chapter.presets)}/{len(chapter.presets)}</span></a>"
        f"{symptoms if chapter.name == FAILURES else ''}"
        for chapter in chapters
    )
    return f'<nav class="contents" aria-label="Chapters">{"".join(entries)}</nav>'


def heading(chapter: Chapter, done: Collection[str]) -> str:
    """A chapter's name, progress and sentence, as HTML."""
    says = f"<p>{escape(chapter.says)}</p>" if chapter.says else ""
    return (
        f'<div class="chapter" id="{chapter.anchor}"><h2>{escape(chapter.name)}</h2>'
        f"<span>{counted(chapter.presets, done)}</span>{says}</div>"
    )


def tick(slug: str, done: Collection[str]) -> str:
    """The mark of a lesson that is done, as HTML."""
    return f'<span class="tick">✓ {DONE}</span>' if slug in done else ""


# ---- links that change settings


@dataclass(frozen=True)
class SettingLink:
    """A link in a lesson's text: its address, and the settings that it changes."""

    address: str
    settings: dict[str, Any]


def setting_links_of(preset: Preset) -> list[SettingLink]:
    """All links in the lesson's text that change settings."""
    changes = [settings for part in (preset.explains, preset.text) for _, settings in setting_links.links(part)]
    return [SettingLink(address(preset, settings), settings) for settings in changes]


def address(preset: Preset, settings: dict[str, Any]) -> str:
    """The address of the playground with this lesson and these changes."""
    return f"/?{urlencode(links.to_link(preset.experiment.replace(**settings), preset, preset.speed))}"


def with_links(preset: Preset, markdown: str) -> str:
    """Markdown whose setting links have the address of the playground."""
    return setting_links.with_addresses(markdown, lambda settings: address(preset, settings))


# ---- doing and predicting


def task(preset: Preset, done: bool) -> str:
    """The lesson's goal, and whether it was reached, as Markdown."""
    assert preset.done is not None
    return f"**✓ {WAS_DONE}.** {preset.done.says}" if done else f"**○ {TO_DO}.** {preset.done.says}"


def symptom(preset: Preset) -> str:
    """How the failure looks in the user's own code and logs, as Markdown."""
    return f"**{SYMPTOM}:** {preset.symptom}"


def wrong_line(preset: Preset) -> str:
    """The wrong line of a bug card and the right one, as HTML; empty for other cards."""
    lines = ((WRONG_LINE, preset.wrong), (RIGHT_LINE, preset.right))
    return "".join(
        f'<p class="line">{says}</p><pre class="line"><code>{_breakable(line.strip())}</code></pre>'
        for says, line in lines
        if line
    )


def _breakable(code: str) -> str:
    """Code as HTML, whose lines may be broken behind an opening bracket."""
    return escape(code).replace("(", "(<wbr>").replace("[", "[<wbr>")


def outcome(prediction: Prediction, answer: int, result: str) -> str:
    """The question with the guess and the right answer, the reason, and the run's result, as Markdown."""
    true = f"✓ **{prediction.answers[prediction.right]}**"
    if answer == prediction.right:
        answers = f"{true} ({YOUR_GUESS}: right)"
    else:
        answers = f"✗ {prediction.answers[answer]} ({YOUR_GUESS})\n\n{true}"
    return f"{prediction.asks}\n\n{answers}\n\n{prediction.because}\n\n{result}"


def result(info: RunInfo, frame: Frame) -> str:
    """The result of the run, in a sentence with its numbers."""
    word = VERDICTS[frame.diagnosis.kind].label if frame.diagnosis else ""
    line = next(iter(info.judged_baselines(frame.has_record).values()))
    loss = f"held-out loss {frame.judged_loss:.3g} (loss to beat: {line:.3g})"
    ratio = frame.diagnosis.evidence.get("ratio") if frame.diagnosis else None
    back = f", gradient ratio {amount(ratio)}" if ratio is not None else ""
    return f"*Your run, step {frame.step:,}:* {loss}{back}. Verdict: {word}."


def same_network(one: Experiment, other: Experiment) -> bool:
    """True if two experiments differ only in the seed and the live settings."""
    free = {"seed": other.seed, **{name: getattr(other, name) for name in live_settings(one)}}
    return one.replace(**free) == other
