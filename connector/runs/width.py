"""How many agreements are written to at a time: as many as ConnectWise bears."""

FIRST = 4
MOST = 8
"""It throttled 12 at a time, not 4 (reference, section 5.2)."""

GROWS_AFTER = 50


class Width:
    """Halves when ConnectWise asks for a pause, and grows by one after so many answers without."""

    def __init__(self, pauses: int = 0) -> None:
        """`pauses` is how many there were before."""
        self.at_a_time = FIRST
        self._pauses = pauses
        self._in_peace = 0

    def answered(self, pauses: int) -> None:
        """Hear of one more answer, and how many pauses there have been until now."""
        if pauses > self._pauses:
            self.at_a_time = max(1, self.at_a_time >> (pauses - self._pauses))
            self._pauses = pauses
            self._in_peace = 0
            return
        self._in_peace += 1
        if self._in_peace >= GROWS_AFTER:
            self.at_a_time = min(MOST, self.at_a_time + 1)
            self._in_peace = 0
