"""The text of classes: the page "Class", the line above a student's page, and the sentences for what cannot be done."""

from __future__ import annotations

from app.classroom.limits import AT_MOST_HOURS, MAX_ANSWERS, MIN_ANSWERS, UNUSED_MINUTES

TITLE = "Class"

# ---- what cannot be done

NO_SUCH_CLASS = "There is no class with this code. Ask your teacher to read it again: five letters and digits."
TOO_FAST = "Too many tries in one minute. Wait a minute, then try again."
TOO_MANY_CLASSES = "This server has {most} open classes, which is the most. Try again when one of them has ended."
CLASS_IS_FULL = "This class has {most} students, which is the most. The teacher can remove those who have left."
TOO_MANY_QUESTIONS = "{most} questions were asked in this class, which is the most. Open a new class to ask more."
NO_QUESTION = "The question is empty. Type one, and two to four answers."
WRONG_ANSWERS = f"A question needs {MIN_ANSWERS} to {MAX_ANSWERS} answers, but it has {{got}}."
SAME_ANSWERS = "Two of the answers are the same. Each must be another one."
OWN_DATA = (
    "Your playground trains on your own file, which no link carries: students could not open it. Choose a lesson or "
    "other data in the playground first."
)
NO_RUN = "There is no run of yours yet in this tab: open the playground once, then come back."

# ---- joining

JOIN = "Join a class"
JOIN_THIS = "Join class {code}"
JOIN_ABOUT = "Your teacher reads out a code of five letters and digits."
CODE = "Code"
NAME = "Your name (optional)"
NAME_HELP = "Your teacher sees it beside your run. It is forgotten with the class."
JOIN_BUTTON = "Join"
NAMELESS = "Student {number}"
NOT_THERE = "The class of this link is over, or never was. What you see here is yours."
ENDED = "The class {code} is over. What you see here is yours, and goes on."
REMOVED = "You are no longer in class {code}. What you see here is yours, and goes on."

# ---- opening

OPEN = "For teachers: open a class"
OPEN_ABOUT = (
    "You get a code for your students. Each of them gets the experiment that stands in your playground now, "
    "**{title}**, and trains a network of their own. You see all their runs on one board."
)
OPEN_BUTTON = "Open a class"
KEPT = (
    f"A class is kept in the server’s memory alone. It is forgotten {UNUSED_MINUTES:g} minutes after its last page was "
    f"closed, after {AT_MOST_HOURS:g} hours at the latest, and when the server ends. Download before that what you "
    "want to keep."
)

# ---- the teacher's page

HEADING = "Class {code}"
HOW_TO_JOIN = "How to join: {code}"
LINK_OR_CODE = "Scan the picture, or open"
AND_TYPE = "and type the code"
ONLY_HERE = (
    "This address works on this machine alone. For others, start the playground so that your network can reach it, "
    "open this page by the address of this machine, and show the code from there."
)
QR = "QR code of the link to class {code}"
NOW = "The class works on: **{title}**."
SHOW, STOP_SHOWING = "Show my run", "Stop showing"
SHOWN = "All students see your run. Lead it in the playground; this goes on until you stop it."
FREEZE, UNFREEZE = "Freeze", "Unfreeze"
FROZEN = "Frozen: the students’ controls do nothing. Their runs go on."
SET = "Set all to …"
SET_ABOUT = "All students begin this, in the place of what they do now. Your own playground stays as it is."
SET_LESSON = "Lesson"
SET_LESSON_BUTTON = "Set all to this lesson"
SET_MINE = "Set all to my playground"
ASK = "Ask"
ASK_ABOUT = "All students see the question at once. Their guesses come in as a bar chart on your board."
ASK_LESSON = "From the lesson"
ASK_OWN = "Your own question"
ASK_QUESTION = "Question"
ASK_ANSWER = "Answer {number}"
ASK_BUTTON = "Ask the class"
CLOSE_QUESTION, PUT_AWAY = "Close the question", "Put the chart away"
MORE = "More"
DOWNLOAD_ABOUT = "What the board shows now, and all guesses, as CSV files in one zip."
DOWNLOAD = "Download board and guesses"
ELSEWHERE = "The board on another device"
ELSEWHERE_ABOUT = "For a phone of yours, say. Whoever has this link runs the class: do not project it."
END = "End the class"
END_ABOUT = "Its board and guesses are forgotten. The students’ runs go on."
END_SURE = "End it and forget board and guesses"
BACK_TO_BOARD = "Board"
OPEN_RUN = "Train it in my playground"
REMOVE = "Remove from the class"
NO_RUN_YET = "There is nothing to see of {name}: the playground was not opened yet, or was left long ago."
READ_ONLY = "You see this run as it is. What you press here changes nothing in it."

BOARD = {
    "empty": "Nobody is here yet. Students join with the code above; each appears here as a card.",
    "student": "student",
    "students": "students",
    "by_name": "By name",
    "by_verdict": "By verdict",
    "sort": "Order of the cards",
    "away": "page closed",
    "no_run": "not started",
    "beat": "to beat",
    "held_out": "held-out loss",
    "gradient": "Gradient that reaches each step",
    "open": "Open the run of {name}",
    "guesses": "guesses",
    "of": "of",
    "closed": "closed",
    "none": "No verdict yet",
    "lost": "connection lost, reconnecting …",
    "over": "This class is over: the server was started again, or forgot it. Load the page anew to open another.",
}
"""Words of the board, for its browser."""

# ---- the line above a student's page

BAR = {
    "in": "Class",
    "as": "You are",
    "leave": "Leave",
    "frozen": "Your teacher has frozen the controls: look to the front. Your run goes on.",
    "shown": "You see your teacher’s run. Your own goes on, and comes back when your teacher ends this.",
    "guess": "What do you think?",
    "closed": "The question is closed.",
    "chosen": "Your guess is counted. You can change it until your teacher closes the question.",
    "lost": "connection lost, reconnecting …",
}


def title_of(lesson_title: str, changes: list[str]) -> str:
    """What a link opens, in a few words."""
    return ": ".join(filter(None, [lesson_title, ", ".join(changes[:3])]))
