"""What a run needs of ConnectWise to make its changes."""

from typing import Protocol

from connector.model import Addition, AdditionPatch, NewAddition


class Additions(Protocol):
    """What applying needs of ConnectWise, from several threads at once."""

    @property
    def pauses(self) -> int:
        """How many times it has had too many requests so far."""
        ...

    def take_turn(self) -> int:
        """Return when one more request may leave."""
        ...

    def additions(self, agreement_id: int) -> tuple[Addition, ...]:
        """Return all additions of an agreement."""
        ...

    def addition(self, agreement_id: int, addition_id: int) -> Addition | None:
        """Return one addition, or None if it is not there."""
        ...

    def create_addition(self, new: NewAddition, turn: int | None = None) -> Addition:
        """Send one POST, with a turn at once, and return what it made."""
        ...

    def patch_addition(self, agreement_id: int, addition_id: int, patch: AdditionPatch) -> Addition:
        """Set named fields and return the record that shows them."""
        ...

    def close(self) -> None:
        """Let nothing more leave."""
        ...
