"""One world: what Sophos Central and ConnectWise PSA hold on a given day, for both simulated servers."""

import time
from collections.abc import Callable
from datetime import date

from .connectwise_state import ConnectWiseSide
from .mapping_text import Decisions
from .rehearsal import Act, Where
from .sophos_state import SophosSide


class World(SophosSide, ConnectWiseSide):
    """Everything both vendors know; change it and the next answer shows it.

    Rules and field names come from reference/sophos-api.md and reference/connectwise-api.md; the
    switches stand for what those pages call unverified.
    """

    def __init__(
        self,
        seed: int = 0,
        today: date = date(2026, 9, 28),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(seed, today, clock)
        self.decisions = Decisions()
        """What the MSP decided about this world; `mappings_text` writes it down."""
        self.acts: list[Act] = []
        """The days on which something happens before a person looks, in order; most worlds have none."""
        self.wrong: dict[str, Where] = {}
        """What is wrong today and where, by class, as the world's author knows it."""
