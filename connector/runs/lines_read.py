"""Reads the lines that a plan is made from: out of one report where that spares requests, else one by one.

The report only spares reads of agreements where nothing is to do. Whatever the plan would write or tell is
read of the agreement itself first, and so are some that the report declares quiet, others each time.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from connector.ledger import Ledger
from connector.ledger.facts import fact, learn
from connector.ledger.held import lines_on_record
from connector.model import Addition
from connector.planning.change import KnownAddition, Plan
from connector.planning.findings import Warn
from connector.planning.report_trust import (
    disagreement_warning,
    disagreements,
    in_doubt,
    sample_of,
    sample_size,
)
from connector.planning.wording import Wording
from connector.reports.log_line import LogLine
from connector.runs.reading import ReadsReport, Report, read_additions
from connector.runs.story import Story
from connector.vendors.connectwise_lists import PAGE
from connector.vendors.connectwise_report import ReportedAdditions, ReportTooLong, ReportUnusable

OFF_DAYS = 7
GOOD_DAYS = 30
COLUMNS, DOUBT, PAGES, SAMPLED = (
    f"connectwise.report.{name}" for name in ("columns", "doubt", "pages", "sampled")
)
_BESIDE = 5
"""Requests that every run makes: signing in, one page of each list."""

Lines = dict[int, tuple[Addition, ...]]
Draft = Callable[[Mapping[int, tuple[Addition, ...]], tuple[Warn, ...]], Plan]
"""Makes the plan from these lines, with these warnings beside it."""


@dataclass(frozen=True, slots=True)
class ReportMemory:
    """What earlier runs found out about the report.

    `off` says why it is not used at present, `probed` that its columns were good. `pages` is how long it was,
    `least` how long it is at the least.
    """

    off: str = ""
    probed: bool = False
    pages: int | None = None
    least: int = 1

    def spares(self, agreements: int) -> bool:
        """Whether reading it takes fewer requests than reading so many agreements."""
        pages = self.least if self.pages is None else self.pages
        return not self.off and pages + 1 < agreements


@dataclass(frozen=True, slots=True)
class ReportReading:
    """What came of reading the report: what it shows, or why it is not used, and what to remember of it."""

    shown: ReportedAdditions | None = None
    why: str = ""
    learned: Mapping[str, object] = field(default_factory=dict)


def report_memory(ledger: Ledger, known: int) -> ReportMemory:
    """Return what is remembered of the report; `known` is how many lines of ours it must show."""
    doubt = fact(ledger, DOUBT, timedelta(days=OFF_DAYS))
    columns = fact(ledger, COLUMNS, timedelta(days=GOOD_DAYS))
    bad = fact(ledger, COLUMNS, timedelta(days=OFF_DAYS))
    if doubt is None and bad is not None and bad["fault"]:
        doubt = bad["fault"]
    return ReportMemory(
        off=doubt or "",
        probed=columns is not None and not columns["fault"],
        pages=fact(ledger, PAGES, timedelta(days=GOOD_DAYS)),
        least=max(1, -(-known // PAGE)),
    )


def read_report(report: Report, memory: ReportMemory, agreements: int) -> ReportReading:
    """Read it, where it may be used; never more pages than agreements it could spare."""
    learned: dict[str, object] = {}
    try:
        if not memory.probed:
            report.probe()
            learned[COLUMNS] = {"fault": ""}
        shown = report.read(memory.pages or memory.least, agreements - 1)
    except ReportTooLong as long:
        return ReportReading(why=long.why, learned={**learned, PAGES: agreements})
    except ReportUnusable as unusable:
        if unusable.lasting:
            learned[COLUMNS] = {"fault": unusable.why}
        return ReportReading(why=unusable.why, learned=learned)
    return ReportReading(shown, learned={**learned, PAGES: shown.pages})


class LinesRead:
    """The lines of the agreements that one plan needs.

    What the ledger knows is asked before, what was learned is written down after: `read` itself asks only
    ConnectWise, and so fits any thread.
    """

    def __init__(self, connectwise: ReadsReport, ledger: Ledger, today: date, story: Story) -> None:
        """`story` is told, and the ledger used, in the thread that makes this."""
        self._connectwise = connectwise
        self._ledger = ledger
        self._today = today
        self._story = story
        self._opened = frozenset(each.key.agreement_id for each in ledger.open_changes())
        known = lines_on_record(ledger)
        self._memory = report_memory(ledger, known) if known else None
        self.wanted: frozenset[int] = frozenset()
        """The agreements that `read` was asked for."""
        self._reading = ReportReading()
        self._lines: Lines = {}

    def read(self, wanted: Collection[int], story: Story) -> None:
        """Read the report where it spares requests, and as many of these agreements as are needed then."""
        self.wanted = frozenset(wanted)
        opened = self._opened & self.wanted
        agreements = len(self.wanted - opened)
        if self._memory is not None and self._memory.spares(agreements):
            story.stage("Reading the report of additions")
            self._reading = read_report(self._connectwise.additions_report, self._memory, agreements)
        self._read(self.wanted if self._reading.shown is None else opened, story)

    def first(self) -> Lines:
        """Return lines as their agreements show them: of those with an open change at least."""
        for name, value in self._reading.learned.items():
            learn(self._ledger, name, value)
        if self._reading.why:
            what = f"The report AgreementAdditions is not used, every agreement is read: {self._reading.why}"
            self._story.said(LogLine("report", what))
        return self._lines

    def planned(
        self, draft: Draft, known: Mapping[int, KnownAddition], words: Wording, beside: int = 0
    ) -> Plan:
        """Return the plan, made from what agreements show wherever it would do or say anything.

        `known` are the lines that the ledger knows, `beside` is how many requests the run has made for its
        other lists.
        """
        report = self._reading.shown
        if report is None:
            return draft(self._lines, ())
        by_agreement = report.by_agreement
        shown = {each: by_agreement.get(each, ()) for each in sorted(self.wanted - self._lines.keys())}
        trial = draft({**self._lines, **shown}, ())
        doubted = in_doubt(trial, shown, known, self._today)
        sample = self._sampled(shown.keys() - doubted, report.pages + beside + _BESIDE)
        self._read({*doubted, *sample}, self._story)
        found = disagreements({each: by_agreement.get(each, ()) for each in self._lines}, self._lines)
        if not found:
            return trial
        warning = disagreement_warning(found, words, OFF_DAYS)
        learn(self._ledger, DOUBT, "it did not show what an agreement shows")
        self._story.said(LogLine("report", warning.message, "warning", code=warning.code))
        self._read(self.wanted - self._lines.keys(), self._story)
        return draft(self._lines, (warning,))

    def _sampled(self, quiet: Collection[int], reads: int) -> tuple[int, ...]:
        last = fact(self._ledger, SAMPLED, timedelta(days=3650)) or 0
        sample = sample_of(quiet, last, sample_size(len(quiet), reads))
        if sample:
            learn(self._ledger, SAMPLED, sample[-1])
        return sample

    def _read(self, agreement_ids: Collection[int], story: Story) -> None:
        if agreement_ids:
            self._lines |= read_additions(self._connectwise, agreement_ids, story)
