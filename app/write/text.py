"""The sentences of the page "Write a lesson"."""

from __future__ import annotations

from app.hub import RunSlot
from engine import tasks

TITLE = "Write a lesson"
KEPT = "What you write is kept in this browser. Download it for your folder of lessons, or to pass it on."
READY = "Nothing is wrong: the lesson can be used."
WRONG = {1: "1 thing is missing or wrong.", 2: "{count} things are missing or wrong."}
TO_WRITE = {1: "1 thing is still to be written.", 2: "{count} things are still to be written."}
RAW = "Under “As a file” stands a text that is not in the form yet, since it cannot be read."

START = "Start from"
START_NEW, START_PLAYGROUND = "A new lesson", "The playground as it is now"
START_COPY, START_COPY_OF = "A copy of", "Choose a lesson"
START_FILE = "A file of yours"
START_FILE_HELP = "A lesson in Markdown or TOML, at most 200 kB."
YOUR_DRAFTS = "Your drafts"
UNTITLED = "Without a title"
NO_PLAYGROUND = "Open the playground first."
OWN_DATA = "This network trains on a file, and a lesson carries none. Put the file beside the lesson and name it there."
NOT_TEXT = "{file} cannot be read: it is not UTF-8 text."

TRY = "Try it"
DOWNLOAD = "Download {file}"
FILE_NAME, FILE_NAME_HELP = (
    "File name",
    "Small letters, digits and single hyphens. Without one it is made from the title.",
)
SAVE = "Keep on the server"
SAVED = "It is kept as {file} on the server, and stands on the Learn page."
REPLACE, REPLACE_QUESTION, REPLACE_NOT = "Replace it", "There is a lesson in {file} already: “{title}”.", "Leave it"
A_FILE = "a file that is no lesson"

PREVIEW, AS_FILE = "As it will look", "As a file"
ON_LEARN, IN_PLAYGROUND = "On the page Learn", "In the playground"
AS_FILE_NOTE = (
    "The same lesson as the file that you download. A change counts once you leave the field or press Ctrl + Enter. "
    "Comments in the settings are not kept."
)
NOT_READ = "This text is not in the form yet."
AS_FORM = "Undo, back to what the form says"
NO_FIGURE = "Not drawn for this network: {names}."
NOTHING_YET = "…"

LABELS = {
    "title": "Title",
    "question": "Question",
    "look_for": "What to look for",
    "explains": "Explanation, above the text",
    "text": "Text",
    "figures": "Figures, one to three",
    "speed": "Speed",
    "paused": "Opens paused at step 0",
    "order": "Place among your lessons",
    "chapter": "Chapter",
    "kind": "Kind",
    "symptom": "How it looks in one's own code and logs",
    "wrong": "The wrong line",
    "right": "The right line",
    "note": "Note for the next teacher, not shown",
    "card": "Unfold the card of the equations",
    "claims": "What should happen, a sentence per line",
    "data": "File with its data",
}
PLACEHOLDERS = {
    "title": "Half the length",
    "question": "Is a small gradient always fatal?",
    "look_for": "The loss waits at the dashed line, and then it falls.",
    "chapter": "From your teacher",
}
TEXT_NOTE = (
    "Markdown. A link that sets something: `[start the gate open](set:forget_bias=3, cell=lstm)`. Every other setting "
    "is then as the lesson says."
)
NETWORK, NETWORK_TAKE = "Network and data", "Take the playground's settings"
DATA_HELP = (
    "It lies beside the lesson in the teacher's folder. What the lesson does not say of its network is what usually "
    "suits such data."
)
DATA_CHOICES = "Chosen of these data: {choices}."
FURTHER, FURTHER_HELP = (
    "Further settings",
    "Written as name=value, name=value; those that are not here are as usual. The names are those of a link.",
)
SETTINGS = "Settings that it changes"
SETTINGS_HELP = "Written as name=value, name=value. All others are as the lesson says."
STEPS = "Updates"
SHOWN = "Figures and start"
PREDICT, PREDICT_ADD, PREDICT_REMOVE = "Questions before the run", "Add a question", "Remove this question"
ASKS, ANSWERS, RIGHT, BECAUSE = "Question", "Answers, one per line", "The right one", "Because"
WHEN_STEPS = "The answer is shown after this many updates"
AT_ONCE = "at once"
AFTER_RUN = "After the run"
WHEN_MORE = "Or show it once …"
NEXT, NEXT_ADD, NEXT_REMOVE = "What to change next", "Add a suggestion", "Remove this suggestion"
SAYS = "Words on the button"
DONE, DONE_ADD, DONE_REMOVE = "What completes it", "Add a goal", "Remove the goal"
DONE_SAYS, DONE_SETTINGS = "The task, in a sentence", "Settings that the run must have"
DONE_NOTE = "Everything that is filled in here must hold at once."
MORE = "More"
CONDITIONS = {
    "step": "At least so many updates",
    "kind": "The verdict is",
    "loss": "Held-out loss below",
    "metric": "Held-out metric at least",
    "solved": "It is solved",
    "broken": "It stopped by itself",
}
ANY_VERDICT = "any"
SEEN_AS = "This lesson has lines of “What do you see?” (`seen_as`). They are kept; edit them under “As a file”."
KINDS = {"lesson": "a lesson", "failure": "a failure card", "bug": "a bug card"}

NEW_TEXT = """What is to be seen, and why, in three to five sentences.

A link changes settings: [an LSTM instead](set:cell=lstm, forget_bias=3)."""


def not_taken(slot: RunSlot | None) -> str:
    """Why the playground's settings cannot be those of a lesson; "" if they can."""
    if slot is None:
        return NO_PLAYGROUND
    return OWN_DATA if slot.experiment.task == tasks.OWN_DATA else ""


def count(problems: int, missing: int = 0) -> str:
    """How many problems there are, in a sentence; that of somebody who is still writing if all are `missing` parts."""
    return (TO_WRITE if missing == problems else WRONG)[min(problems, 2)].format(count=problems)


def section(name: str, problems: int, entries: int | None = None) -> str:
    """The title of a part of the form, as Markdown: with the number of its entries, and of its problems."""
    number = f" ({entries})" if entries else ""
    return f"{name}{number}" + (f" · ⚠ {problems}" if problems else "")
