"""What every answer tells the browser to refuse. Whether real pages live with it: tests/browser/test_security.py."""

from __future__ import annotations

from app.serve.headers import HEADERS, POLICY, SafetyHeaders
from tests.app.serve.asgi import Inside, ask, open_socket

FORCED = {"style-src": {"'unsafe-inline'"}, "script-src": {"'wasm-unsafe-eval'"}}
"""By Streamlit and Plotly; why stands beside each in app/serve/headers.py."""


def test_every_answer_has_them():
    answer = ask(SafetyHeaders(Inside()))
    assert answer.text == "inside" and HEADERS.items() <= answer.headers.items()
    assert open_socket(SafetyHeaders(Inside())).status == 101


def test_nothing_is_loaded_from_elsewhere_and_no_source_is_a_wildcard():
    assert POLICY["default-src"] == POLICY["connect-src"] == ("'self'",)
    assert POLICY["frame-ancestors"] == POLICY["object-src"] == POLICY["base-uri"] == ("'none'",)
    allowed = {"'self'", "'none'", "data:", "blob:"}
    for name, sources in POLICY.items():
        others = {each for each in sources if not each.startswith("'sha256-")} - allowed
        assert others == FORCED.get(name, set()), name
    assert not {"'unsafe-inline'", "'unsafe-eval'", "data:"} & set(POLICY["script-src"])
