"""A file that grows while somebody else's model is watched, and is read meanwhile: "the file is the wire". No torch.

    with GrowingFile("run.looks") as file:
        file.append(recorded_look)

    follower = Follower("run.looks")  # in another process
    for look in follower.news().looks: ...

It begins with `MAGIC` and 16 random bytes; then follow chunks, one for each look (`chunks.py`). Nothing in it is
pickled, and nothing of it is executed.
"""

from engine.recording.growing.follower import Follower, News, read_looks
from engine.recording.growing.looks import WHOLE_MODEL, FoundMistake, RecordedLook, RecordedModule
from engine.recording.growing.writer import SUFFIX, GrowingFile

__all__ = [
    "SUFFIX",
    "WHOLE_MODEL",
    "Follower",
    "FoundMistake",
    "GrowingFile",
    "News",
    "RecordedLook",
    "RecordedModule",
    "read_looks",
]
