"""What a run tells while it works: stages and how far they are."""

from typing import Protocol


class Story(Protocol):
    """Listens to a run; never answers."""

    def stage(self, what: str) -> None:
        """Hear that a stage begins."""
        ...

    def progress(self, done: int, total: int | None) -> None:
        """Hear how far the stage is; `total` is None where nobody knows."""
        ...


class Silence:
    """A story that nobody listens to."""

    def stage(self, what: str) -> None:
        """Hear nothing."""

    def progress(self, done: int, total: int | None) -> None:
        """Hear nothing."""
