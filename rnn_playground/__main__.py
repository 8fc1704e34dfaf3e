"""`python -m rnn_playground`: the same as the command `rnn-playground`."""

from __future__ import annotations

import sys

from engine.__main__ import main

sys.exit(main())
