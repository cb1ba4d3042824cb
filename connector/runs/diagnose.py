"""Reads both vendors for one month and says what is wrong; writes nothing, takes no lock, is no run."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial

from connector.errors import NotImported, RequestRefused, SignInRefused, VendorError
from connector.ledger import Ledger
from connector.ledger.billed import billed_month
from connector.ledger.imports import imported_periods, newest_import
from connector.ledger.months import snapshot_rows
from connector.ledger.recall import listed_last
from connector.model import Addition, Key, Mappings, Period
from connector.planning.change import Plan
from connector.planning.diagnosis.discrepancies import Diagnosis
from connector.planning.diagnosis.distributor import Distributor
from connector.planning.diagnosis.month import AsItIs, Circumstances, diagnose, without
from connector.planning.diagnosis.written import WrittenThen, settled
from connector.planning.findings import Options
from connector.planning.plan import Inputs, make_plan
from connector.planning.pricing import uses_prices
from connector.planning.resolve import Off, Placer, resolve
from connector.planning.restatement import Restated, find_restated, restatement_findings
from connector.planning.sources import API, FILE, Source
from connector.runs.additions import Additions
from connector.runs.draft import finder_of, inputs_of, names_of
from connector.runs.reading import (
    READERS,
    ConnectWise,
    Sophos,
    Usage,
    agreements_that_matter,
    read_directory,
    read_usage,
)
from connector.runs.sources import failed_entry
from connector.runs.story import Story
from connector.vendors.hands import answers

_FORBIDDEN = 403
_MEND = "mend the row in the file, or say under `import:` in mappings.yaml whose and what it is"


@dataclass(frozen=True, slots=True)
class TheirFile:
    """A distributor's file as it was read: its name and content."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Examination:
    """A diagnosis and all that it was made of, for reports; `names` are the tenants' names."""

    diagnosis: Diagnosis
    plan: Plan
    usage: Usage
    placer: Placer
    additions: Mapping[int, tuple[Addition, ...]]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Examiner:
    """What examining a month takes; `sophos` is called where the usage is read from there."""

    sophos: Callable[[], Sophos]
    connectwise: ConnectWise
    ledger: Ledger
    mappings: Mappings
    today: date
    story: Story

    def examine(
        self, period: Period | None, source: Source = API, against: TheirFile | None = None
    ) -> Examination:
        """Read both sides and compare them; raises NotPublished or NotImported where there is no usage."""
        usage = self._usage(period, source)
        directory = read_directory(self.connectwise, self.ledger, (self.mappings,), self.today, self.story)
        placer = Placer(self.mappings, directory)
        wanted = (placer.agreement_ids() | agreements_that_matter(self.ledger)) & directory.agreements.keys()
        additions, unread = read_some_additions(self.connectwise, wanted, self.story)

        now = usage
        usage, restated = self._as_billed(usage, placer)
        finder = finder_of(usage, self.mappings)
        names = names_of(usage, self.mappings)
        inputs = inputs_of(usage, placer, additions, self.ledger, options=Options(), today=self.today)
        inputs = replace(inputs, known=settled(inputs.known, self.ledger.open_changes(), additions))
        plan = make_plan(without(inputs, unread))
        as_it_is = None
        if now is not usage:
            month = inputs_of(now, placer, additions, self.ledger, options=Options(), today=self.today)
            as_it_is = AsItIs(tuple(now.rows), month.resolved)
        beside = Circumstances(
            unread=unread,
            tried=self._tried(usage.period),
            restated=restated,
            as_it_is=as_it_is,
            then=self._then(usage.period, inputs),
            called_before=self._called_before(usage.period),
            distributor=self._distributor(against, usage, placer) if against is not None else None,
        )
        found = diagnose(inputs, plan, rows=tuple(usage.rows), finder=finder, beside=beside)
        return Examination(found, plan, usage, placer, additions, names)

    # Usage ---------------------------------------------------------------------------------------

    def _usage(self, period: Period | None, source: Source) -> Usage:
        if source != FILE:
            return read_usage(self.sophos(), period, self.today, self.story)
        self.story.stage("Reading the imported file")
        months = [each for each in imported_periods(self.ledger) if each.previous <= Period.of(self.today)]
        wanted = period or next(iter(months), None)
        imported = newest_import(self.ledger, wanted) if wanted is not None else None
        if imported is None:
            raise NotImported(
                f"No consumption file was imported for {period or 'any month up to now'}.",
                "Import one: connector usage import FILE",
            )
        return Usage(
            imported.period,
            imported.rows,
            *listed_last(self.ledger),
            source=FILE,
            failed=tuple(failed_entry(row) for row in imported.failed),
        )

    def _as_billed(self, usage: Usage, placer: Placer) -> tuple[Usage, tuple[Restated, ...]]:
        """Return the month as it was billed, and what has changed since, as a plan tells it."""
        billed = billed_month(self.ledger, usage.period, usage.source, self.today)
        if billed is None:
            return usage, ()
        whose = finder_of(usage, placer.mappings).tenant_of
        changed = find_restated(billed.rows, usage.rows, whose, priced=uses_prices(placer.mappings))
        if not changed:
            return usage, ()
        told = tuple(
            each
            for each in changed
            if each.tenant_id is None or not isinstance(placer.place(each.tenant_id, each.product_code), Off)
        )
        findings = restatement_findings(told, usage.period, usage.source, names_of(usage, placer.mappings))
        # As values: they are told of after the ledger is closed.
        return replace(usage, rows=tuple(billed.rows), restated=findings), told

    # The ledger ----------------------------------------------------------------------------------

    def _tried(self, period: Period) -> dict[Key, str]:
        """Return what ConnectWise said to the last try of each key in this month, where it failed."""
        rows = self.ledger.query(
            "SELECT agreement_id, item_id, outcome, message FROM changes JOIN runs ON runs.id = changes.run "
            "WHERE runs.period = ? AND outcome IN ('done', 'failed') ORDER BY changes.id",
            str(period),
        )
        last = {Key(row["agreement_id"], row["item_id"]): row for row in rows}
        return {key: row["message"] or "" for key, row in last.items() if row["outcome"] == "failed"}

    def _then(self, period: Period, inputs: Inputs) -> WrittenThen | None:
        """Return what was written for a month that is older than the newest one that was applied.

        That is what the last run of the month made of a line, else what a run of a newer month found, else
        what the line still has.
        """
        if inputs.newest_applied is None or period >= inputs.newest_applied:
            return None
        quantities: dict[Key, Decimal] = defaultdict(Decimal)
        for known in inputs.known.values():
            if not known.closed and known.ended is None:
                quantities[known.key] += known.quantity
        rows = self.ledger.query(
            "SELECT agreement_id, item_id, before, after, runs.period FROM changes "
            "JOIN runs ON runs.id = changes.run "
            "WHERE runs.period >= ? AND outcome = 'done' ORDER BY changes.id",
            str(period),
        )
        found: dict[Key, Decimal] = {}
        written: dict[Key, Decimal] = {}
        for row in rows:
            key = Key(row["agreement_id"], row["item_id"])
            if row["period"] == str(period):
                written[key] = Decimal(row["after"])
            else:
                found.setdefault(key, Decimal(row["before"] or 0))
        stored = self.ledger.query("SELECT 1 FROM usage WHERE period = ? LIMIT 1", str(period))
        return WrittenThen(quantities | found | written, stored=bool(stored))

    def _called_before(self, period: Period) -> dict[str, set[str]]:
        """Return the descriptions of each code in the last month before this one that is stored."""
        found = self.ledger.query(
            "SELECT id FROM usage WHERE source = ? AND period < ? AND pruned_at IS NULL "
            "ORDER BY period DESC, id DESC LIMIT 1",
            API,
            str(period),
        )
        called: dict[str, set[str]] = {}
        for row in snapshot_rows(self.ledger, found[0]["id"]) if found else ():
            called.setdefault(row.product_code, set()).add(row.description)
        return called

    # A distributor's file ------------------------------------------------------------------------

    def _distributor(self, file: TheirFile, usage: Usage, placer: Placer) -> Distributor:
        """Return what a file says of the month, placed as the usage is; nothing of it is stored."""
        from connector.runs.usage_import import (  # noqa: PLC0415  it loads all that suggests names
            Asked,
            read_import,
        )

        asked = Asked(None, usage.period, afresh=True)
        made = read_import(file.data, file.name, self.mappings, self.ledger, asked)
        finder, names = finder_of(usage, self.mappings), names_of(usage, self.mappings)
        failed = (
            replace(failed_entry(made.failed[number]), next_step=_MEND) for number in sorted(made.failed)
        )
        return Distributor(file.name, resolve(made.rows.values(), finder, placer, names), tuple(failed))


def read_some_additions(
    connectwise: Additions, agreement_ids: Collection[int], story: Story
) -> tuple[dict[int, tuple[Addition, ...]], dict[int, str]]:
    """Return the additions of each agreement, and of those that refuse to be read alone, the reason.

    What is refused of all of several agreements is a missing right, and raised; so is whatever else fails.
    """
    story.stage("Reading additions")
    found: dict[int, tuple[Addition, ...]] = {}
    refused: dict[int, VendorError] = {}
    reading = {each: partial(_additions_or_refusal, connectwise, each) for each in sorted(agreement_ids)}
    for count, (agreement_id, answer) in enumerate(answers(READERS, reading), start=1):
        if isinstance(answer, VendorError):
            refused[agreement_id] = answer
        else:
            found[agreement_id] = answer
        story.progress(count, len(reading))
    if len(refused) > 1 and not found:
        raise refused[min(refused)]
    return found, {agreement_id: error.message for agreement_id, error in sorted(refused.items())}


def _additions_or_refusal(
    connectwise: Additions, agreement_id: int
) -> tuple[Addition, ...] | RequestRefused | SignInRefused:
    try:
        return connectwise.additions(agreement_id)
    except (RequestRefused, SignInRefused) as error:
        if isinstance(error, SignInRefused) and error.status != _FORBIDDEN:
            raise
        return error
