"""What became of a run and of each of its changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connector.planning.change import Change, Plan

Outcome = Literal["done", "failed", "unclear", "held", "not_tried"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change; `message` says why it is not done."""

    change: Change
    outcome: Outcome
    addition_id: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run that went as far as it could; `digest` names the plan that a person asked for.

    `interrupted`: a person stopped it while it wrote, although all that it had to write may be done.
    """

    number: int
    digest: str
    plan: Plan
    results: Sequence[Result]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of contract section 5: refused, partly applied, a person must decide, or done."""
        if self.plan.objections:
            return 4
        if any(result.outcome in {"failed", "unclear", "not_tried"} for result in self.results):
            return 6
        return self.plan.exit_code
