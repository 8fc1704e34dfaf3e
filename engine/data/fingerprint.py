"""What data are called in settings, links and recordings, which say by it what they need."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def fingerprint(files: Sequence[bytes]) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits; of several files, of their fingerprints one after the other."""
    each = [hashlib.sha256(data).hexdigest() for data in files]
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()
