"""Joining the stage's modules into one script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.stage import bundle as bundles
from app.stage.bundle import HERE, bundle


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder of modules to be joined."""
    monkeypatch.setattr(bundles, "HERE", tmp_path)
    bundle.cache_clear()
    yield tmp_path
    bundle.cache_clear()


def test_a_module_comes_after_those_that_it_imports_and_only_once(modules):
    (modules / "a.js").write_text("import { b as renamed, c } from './inner/b.js';\nexport const a = renamed + c;\n")
    (modules / "c.js").write_text("export const one = 1;\n")
    (modules / "inner").mkdir()
    (modules / "inner/b.js").write_text(
        "import { c } from '../c.js';\nexport function b() { return c; }\nexport { c };\n"
    )
    with pytest.raises(ValueError, match=r"b\.js: not understood: export { c };"):
        bundle("a.js")
    bundle.cache_clear()
    (modules / "inner/b.js").write_text("import { one } from '../c.js';\nexport const b = one;\nexport const c = 3;\n")
    script = bundle("a.js")
    assert [*re.findall(r"^const (stage_\w+)", script, re.MULTILINE)] == ["stage_c", "stage_inner_b", "stage_a"]
    assert "const { b: renamed, c } = stage_inner_b;" in script and script.endswith("const { a } = stage_a;")


def test_modules_in_a_circle_are_refused(modules):
    (modules / "a.js").write_text("import { b } from './b.js';\nexport const a = 1;\n")
    (modules / "b.js").write_text("import { a } from './a.js';\nexport const b = 1;\n")
    with pytest.raises(ValueError, match=r"a\.js imports itself by way of b\.js"):
        bundle("a.js")


def test_every_module_of_the_stage_is_used_and_short():
    script, modules = bundle("board.js"), sorted(HERE.rglob("*.js"))
    for module in modules:
        name = "_".join(["stage", *module.relative_to(HERE).with_suffix("").parts])
        assert f"const {name} = (() => {{" in script, f"{module.name} is imported nowhere"
        assert len(module.read_text().splitlines()) <= 350, module.name
    assert Path(HERE / "board.js") in modules


NOT_FILLED_IN = re.compile(r"[?:(,=+] ('(?!\})[^'`\n]*\$\{[^'`\n]*')")


def test_no_script_leaves_a_value_unfilled_in_a_plain_string():
    assert NOT_FILLED_IN.findall("`${a ? 'of ${b}; c' : 'd'}`") == ["'of ${b}; c'"]
    assert NOT_FILLED_IN.findall("`x${a ? ' end' : ''}${b ? ' c' : ''}` + 'd'") == []
    for script in HERE.parent.rglob("*.js"):
        assert NOT_FILLED_IN.findall(script.read_text()) == [], script.name
