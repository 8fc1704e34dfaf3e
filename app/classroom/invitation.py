"""How students come to a class: the code in large letters, the link, and a QR code of it."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from app.classroom import text as class_text

LOCAL = ("127.0.0.1", "localhost", "::1")


def address(page: str, **settings: str) -> str:
    """The page "Class" at this address, with these settings."""
    return f"{page.split('?')[0]}?{urlencode(settings)}"


def is_local(page: str) -> bool:
    """True for an address that no other machine can open."""
    return urlsplit(page).hostname in LOCAL


def qr_code(link: str, says: str) -> str:
    """A QR code as an SVG image in HTML; dark on light in a dark page too, since many cameras read no other.

    Args:
        says: what it is, for those who do not see it.
    """
    drawn = segno.make(link, error="m", micro=False).svg_data_uri(border=3, light="#ffffff", omitsize=True)
    return f'<img class="qr-code" alt="{escape(says)}" src="{escape(drawn)}">'


def invitation(code: str) -> None:
    """Draw it."""
    page = st.context.url or ""
    link = address(page, code=code)
    shown = f"{urlsplit(page).netloc}{urlsplit(page).path}"
    with st.container(key="class_invitation"):
        st.html(
            f'<div class="invitation">{qr_code(link, class_text.QR.format(code=code))}'
            f"<div><p>{class_text.LINK_OR_CODE}</p><p><b>{escape(shown)}</b></p><p>{class_text.AND_TYPE}</p>"
            f'<p class="code">{code}</p></div></div>'
        )
        if is_local(page):
            st.warning(class_text.ONLY_HERE)
        st.code(link, language=None, wrap_lines=True)
