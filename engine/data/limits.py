"""How much of somebody's data is read, and from which numbers on something is said or done."""

from __future__ import annotations

from engine.limits import LIMITS

MAX_FILE_BYTES = LIMITS.file_megabytes * 1_000_000
MAX_UNPACKED_BYTES = LIMITS.unpacked_megabytes * 1_000_000  # as a zip archive says, before anything is unpacked
MAX_ROWS, MAX_COLUMNS = LIMITS.rows, LIMITS.columns
MAX_LINE = 1_000_000  # characters of a line of a table
MAX_TEXT = 5_000_000  # characters of a text; the rest is cut, and that is said
MAX_CHANNELS = 32  # input channels of a network
MAX_CLASSES, MAX_TAGS = 50, 200
MAX_SYMBOLS = 5_000
MAX_SEQUENCES = 200_000
MIN_ROWS = 12  # of a series
HUGE = 1e30  # larger numbers count as missing: they overflow float32 when they are squared
PROSE_WORDS = 2.5  # of a cell, on average, from which on a column is one of prose
LOPSIDED = 0.8  # from this share of the largest class on the accuracy alone says little
TEST_SHARES = (0.05, 0.5)  # that may be chosen
