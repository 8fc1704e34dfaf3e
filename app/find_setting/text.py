"""The words of the field that finds a setting: what else people call it, and what is said of the one that was found."""

from __future__ import annotations

from app.text import LIVE

FIND = "Find a setting"
HINT = "lr, AdamW, dropout …"
HELP = (
    "By its name here, in PyTorch or in papers. A value that has a name can be found, too, and is then set. Where a "
    "setting has a slider, any other number can be typed here."
)
RESTARTS = ":material/replay: A change restarts the run."
AT_ONCE = f"{LIVE} Takes effect at once."
ACCEPTS = "From {limits.low:,g} to {limits.high:,g}."
NO_EFFECT = "Without effect now: {why}."
