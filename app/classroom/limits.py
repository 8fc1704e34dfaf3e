"""How many classes, students and questions there may be, how fast they may come, and how long they are kept."""

from __future__ import annotations

MAX_CLASSES = 20
"""Open classes on this server."""
MAX_STUDENTS = 60
"""Students of one class, those who have left included until the teacher removes them."""
MAX_QUESTIONS = 50
"""Questions asked in one class."""
MAX_NAME = 40
"""Characters of a student's name."""
MAX_QUESTION, MAX_ANSWER = 160, 60
"""Characters of a typed question, and of each of its answers."""
MIN_ANSWERS, MAX_ANSWERS = 2, 4
"""Answers to choose from."""

AT_MOST_HOURS = 8.0
"""A class is forgotten after so many hours, used or not."""
UNUSED_MINUTES = 60.0
"""It is forgotten after so many minutes in which neither its teacher nor a student had a page of it open."""

PER = 60.0
"""Seconds to which the following numbers refer."""
JOINS_OF_A_BROWSER, JOINS_OF_A_CLASS = 10, 120
WRONG_CODES_OF_A_BROWSER, WRONG_CODES_OF_ALL = 10, 300
CLASSES_OF_A_BROWSER = 5
