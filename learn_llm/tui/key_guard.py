"""One press never does two things: a key held down neither rates what it has just revealed nor reveals what comes next.

A terminal sends no release of a key, only the same key again: after about half a second, then every few hundredths.
"""

import time
from collections.abc import Callable

REPEAT = 0.2
"""Seconds of quiet after which a press is a new one; a held key repeats faster."""
FIRST_REPEAT = 0.7
"""Seconds after which the same key may act again: longer than the delay before a held key starts to repeat."""


class KeyGuard:
    """Remembers what was just done and by which key, and says whether the next press may act."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = ""
        self._acted = float("-inf")
        self._refused = float("-inf")

    def acted(self, key: str) -> None:
        """`key` has just changed what the next press would do."""
        self._key = key
        self._acted = self._clock()
        self._refused = float("-inf")

    def allows(self, key: str) -> bool:
        """Whether a press of `key` is a new one."""
        now = self._clock()
        wait = FIRST_REPEAT if key == self._key else REPEAT
        if now - self._acted >= wait and now - self._refused >= REPEAT:
            return True
        self._refused = now
        return False
