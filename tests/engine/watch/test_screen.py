"""What is said of the page that a lens has opened."""

from __future__ import annotations

from types import SimpleNamespace

from engine.watch import screen


def test_it_says_how_long_the_page_stays_and_how_to_end_the_newest(monkeypatch):
    monkeypatch.setattr(screen, "_started", [SimpleNamespace(pid=11), SimpleNamespace(pid=12)])
    said = screen.how_it_ends()
    assert "ten minutes" in said and "kill 12 " in said
