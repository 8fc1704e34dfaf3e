"""Whatever a recording holds: it opens, or a sentence says why not. A page that opens it says the same."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest

from app.replay import player
from engine.recording import Recording, RecordingError
from tests.strange import FEW, MANY, changed, damaged
from tests.test_layering import ROOT

KEPT = ROOT / "tests" / "compatibility" / "data" / "recordings"


def repacked(rng: random.Random, content: bytes) -> bytes:
    """The archive with one entry damaged inside, left out, renamed, or its JSON changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(entries)) if rng.random() < 0.5 else next(each for each in entries if each.endswith(".json"))
    kind = rng.randrange(4)
    if name.endswith(".json") and kind < 3:
        entries[name] = json.dumps(changed(rng, json.loads(entries[name]))).encode()
    elif kind == 0:
        del entries[name]
    elif kind == 1:
        entries[rng.choice(["../../x", "/etc/x", name.upper(), "frames/none.npy"])] = entries.pop(name)
    else:
        entries[name] = damaged(rng, entries[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each, inside in entries.items():
            archive.writestr(each, inside)
    return buffer.getvalue()


def check(seeds: range) -> None:
    files = [path.read_bytes() for path in sorted(KEPT.glob("*.zip"))]
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        content = rng.choice(files)
        raw = repacked(rng, content) if rng.random() < 0.7 else damaged(rng, content)
        try:
            recording = Recording.load(io.BytesIO(raw))
        except RecordingError as error:
            refused += 1
            assert str(error) and "\n" not in str(error), seed
            continue
        if seed % 50 == 0:  # a page is made of it, too
            try:
                html = player.replay(recording)
            except Exception as error:
                raise AssertionError(f"seed {seed}") from error
            assert "<img src=x" not in html and "<script>window.ran" not in html
    assert refused > len(seeds) / 4


def test_a_hundred_damaged_recordings():
    check(range(FEW))


@pytest.mark.full
def test_two_thousand_damaged_recordings():
    check(range(FEW, FEW + MANY))
