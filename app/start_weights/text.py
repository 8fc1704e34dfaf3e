"""Words about weights of a file from which a run starts."""

from __future__ import annotations

from app import text
from engine.weights import StartWeights

OPENING = "The weights are being read."
IN_FILE = "In **{name}**: {modules}. On the data in the playground, {data}, such a network can use of it:"
COMPLETE = "All weights of the network are in the file."
TRAIN = "Train from these weights"
NETWORK, SHAPE, SOURCE, DRAWN, ZERO = "Weight of the network", "Shape", "From the file", "drawn anew: {why}", "0"
OTHER_DATA = "For other data, choose them in the playground first, then come back."
NOTE = (
    "It started from weights of **{name}**{drawn}. A link to it carries no weights: whoever opens it starts from drawn "
    "ones."
)
PARTLY = ", but for {names}, which were drawn"
MOST_NAMED = 4
NO_SCRIPT = "It started from weights of {name}, which a script does not have."


def note(weights: StartWeights) -> str:
    """What is said of a run that started from weights of a file."""
    names = list(weights.drawn)
    listed = ", ".join(names[:MOST_NAMED]) + (" ..." if len(names) > MOST_NAMED else "")
    return NOTE.format(name=text.plain(weights.name), drawn=PARTLY.format(names=text.escaped(listed)) if names else "")
