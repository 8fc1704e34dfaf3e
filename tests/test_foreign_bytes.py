"""What strangers send is read as data: no name in it becomes a path. Nor can it run: tests/test_layering.py."""

from __future__ import annotations

import subprocess
import sys

from tests.test_layering import ROOT

WATCHED = """
import io, sys, types
touched, MARK = [], "stranger-7f3a"

def hook(event, arguments):
    if event.split(".")[0] in ("open", "os", "shutil", "glob", "pathlib", "tempfile", "sqlite3", "subprocess"):
        touched.extend((event, str(each)) for each in arguments if MARK in str(each))

sys.addaudithook(hook)
from app import links
from app.compare import plan as race_plan
from app.map import plan as map_plan
from app.map.kept import kept_maps
from app.replay import pair, player
from app.watched.registry import follow, opened
from app.write.start import draft_of
from engine.data import DataError, read
from engine.preset import load_preset
from engine.preset.preset import PresetError
from engine.preset.saving import save_lesson
from engine.recording import RecordingError

def refused(call, *arguments):
    try:
        call(*arguments)
    except (DataError, RecordingError, PresetError, LookupError):
        pass

for name in (MARK, f"../{MARK}", f"/etc/{MARK}", f"..\\\\{MARK}", f"{MARK}\\0", f"file:///{MARK}", f"~/{MARK}"):
    for key in ("preset", "task", "map", "cell", "data", "file", "name", "speed", "hide", "then", "layer"):
        links.read({key: name})
    race_plan.from_link({"task": name, "a.cell": name}, [])
    map_plan.from_link({"task": name, "map": name}, [])
    for ending in ("csv", "xlsx", "zip", "npz", "json", "parquet", "toml", "md", "looks", ""):
        for content in (b"a,b\\n1,2\\n", b"PK\\3\\4", b"{", b""):
            file = io.BytesIO(content)
            file.name = f"{name}.{ending}"
            refused(read, file, None)
            refused(read, [file, file], None)
            refused(player.open_file, file.name, file)
            refused(opened, "", file.name, content)
            draft_of(file.name, content.decode("latin-1"))
    refused(follow, "", name)
    refused(save_lesson, name, "x")
    refused(load_preset, name)
kept_maps()
print(touched)
"""


def test_no_name_that_a_stranger_gives_is_looked_for_on_the_disk(tmp_path):
    """In a process of its own, since what it watches itself by cannot be taken away again."""
    environment = {
        "PYTHONPATH": str(ROOT), "PLAYGROUND_LOOKS": str(tmp_path), "PLAYGROUND_SAVE_LESSONS": "1",
        "PLAYGROUND_LESSONS": str(tmp_path), "PATH": "", "HOME": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout[-2000:] + done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []
