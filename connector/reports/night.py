"""What one night did, as values, text and JSON; a night with nothing to do is one line."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from connector.errors import ConnectorError, NotPublished
from connector.model import Period
from connector.planning.change import plain
from connector.planning.findings import Unresolved
from connector.planning.schedule import Night
from connector.planning.sources import Source, told_source
from connector.reports.checkup import EXIT_ORDER
from connector.reports.document import error_document, run_document, unresolved_document
from connector.reports.escape import lines, printable
from connector.reports.outcome import Run
from connector.reports.text import run_text

Document = dict[str, Any]

DONE, TO_DECIDE, PARTLY, NOT_PUBLISHED = 0, 3, 6, 8


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one month of a night.

    `run` is what billing it did, `restated` what has changed since it was billed, `error` why it could not
    be done. Nothing of these: `note` says why nothing was to be done; it `waits` where an earlier month has
    to be billed first. `overdue` says that the month should be billed by now.
    """

    period: Period
    source: Source
    run: Run | None = None
    restated: tuple[Unresolved, ...] = ()
    error: ConnectorError | None = None
    note: str = ""
    overdue: bool = False
    waits: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of contract section 5; a month may be missing until it is overdue."""
        if isinstance(self.error, NotPublished):
            return NOT_PUBLISHED if self.overdue else DONE
        if self.error is not None:
            return self.error.exit_code
        if self.run is not None:
            return self.run.exit_code
        if self.waits and self.overdue:
            return NOT_PUBLISHED
        return TO_DECIDE if self.restated else DONE

    @property
    def wrote(self) -> bool:
        """Whether anything was sent to ConnectWise."""
        sent = {"done", "failed", "unclear"}
        return self.run is not None and any(each.outcome in sent for each in self.run.results)


@dataclass(frozen=True, slots=True)
class NightReport:
    """All of a night, month by month; `note` says in a line what there was to do.

    One that was `interrupted` has not come to the months that are missing.
    """

    day: date
    steps: tuple[Step, ...] = ()
    note: str = ""
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """The worst of its steps; one that was interrupted is done in part, whatever else it met."""
        if self.interrupted:
            return PARTLY
        codes = {step.exit_code for step in self.steps}
        return next((code for code in EXIT_ORDER if code in codes), DONE)

    @property
    def complete(self) -> bool:
        """Whether every month that was to be looked at was: only then is a cause that is missing gone."""
        return not self.interrupted and all(
            step.error is None or isinstance(step.error, NotPublished) for step in self.steps
        )


def night_text(report: NightReport) -> str:
    """Return a night as people read it: one line where nothing was done and nothing needs anybody."""
    if report.exit_code == DONE and all(step.run is None for step in report.steps):
        said = [report.note, *(_quiet(step) for step in report.steps)]
        return f"{report.day}: " + "; ".join(part for part in said if part)
    told = [f"Night of {report.day}" + (f": {report.note}" if report.note else "")]
    for step in report.steps:
        told += _step(step)
    return "\n".join(told)


def night_document(report: NightReport) -> Document:
    """Return a night as `connector.night/1`."""
    return {
        "schema": "connector.night/1",
        "day": str(report.day),
        "note": report.note or None,
        "steps": [
            {
                "period": str(step.period),
                "source": step.source,
                "run": run_document(step.run) if step.run is not None else None,
                "restated": [unresolved_document(each) for each in step.restated],
                "error": error_document(step.error)["error"] if step.error is not None else None,
                "note": step.note or None,
                "exit_code": step.exit_code,
            }
            for step in report.steps
        ],
        "exit_code": report.exit_code,
    }


def explained_text(told: Iterable[tuple[Night, str]]) -> str:
    """Return one line for each of the coming nights."""
    return "\n".join(f"{night.day} {_WEEKDAYS[night.day.weekday()]}  {text}" for night, text in told)


def explained_document(told: Iterable[tuple[Night, str]]) -> Document:
    """Return the coming nights as `connector.nights/1`."""
    return {
        "schema": "connector.nights/1",
        "nights": [
            {
                "day": str(night.day),
                "due": [
                    {
                        "period": str(each.period),
                        "source": each.source,
                        "overdue": each.overdue,
                        "waits_for": None if each.waits_for is None else str(each.waits_for),
                    }
                    for each in night.due
                ],
                "look_again": [str(period) for period in night.look_again],
                "message": text,
            }
            for night, text in told
        ],
    }


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _quiet(step: Step) -> str:
    if step.waits:
        return f"{step.period}: {step.note}"
    return f"{step.period} is {'not published yet' if step.error is not None else step.note}"


def _step(step: Step) -> list[str]:
    title = f"{step.period} from {told_source(step.source)}"
    if step.run is not None:
        quiet = step.run.exit_code == DONE and not step.run.results
        return [f"{title}: {_run_line(step.run)}", *([] if quiet else [run_text(step.run)])]
    if step.restated:
        return [f"{title}: changed since it was billed", *_restated(step.restated)]
    if step.error is not None:
        return [f"{title}: not done", *_error(step.error)]
    return [f"{title}: {step.note}"]


def _run_line(run: Run) -> str:
    outcomes = Counter(result.outcome for result in run.results)
    told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
    return (
        f"run {run.number}: {told or 'nothing to write'}; {len(run.plan.unchanged)} unchanged, "
        f"{len(run.plan.unbilled)} unresolved (exit code {run.exit_code})"
    )


def _restated(restated: Iterable[Unresolved]) -> list[str]:
    told = []
    for each in restated:
        told.append(f"  ! {each.code}  {plain(each.quantity)}  {printable(each.message)}")
        told.append(f"      do: {printable(each.next_step)}")
    return told


def _error(error: ConnectorError) -> list[str]:
    told = [f"  Error: {lines(error.message)}"]
    return [*told, f"  Next: {lines(error.next_step)}"] if error.next_step else told
