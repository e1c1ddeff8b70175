"""The one table from result to exit code (design §4.2)."""

from __future__ import annotations

EXIT_DONE = 0
EXIT_NO = 1
"""A gate or check said no."""
SAYS_NO = frozenset({"too_few_rows"})
"""Errors that are no misuse: the data was read and cannot carry a model."""
EXIT_MISUSE = 2
"""Misuse, bad input, or a machine that cannot (disk full, no permission)."""
EXIT_FAULT = 3
"""Skiff's own fault."""
EXIT_STOPPED = 130
"""Stopped by Ctrl-C: 128 + SIGINT, as shells count it."""
