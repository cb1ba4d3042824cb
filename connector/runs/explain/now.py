"""ConnectWise as it is now, and what a run would do: drafted from stored usage, and never written down."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from connector.errors import VendorError
from connector.ledger import Ledger
from connector.ledger.billed import billed_month
from connector.ledger.lineage import uncounted_then
from connector.ledger.recall import listed_last
from connector.model import Addition, CatalogItem, Key, Mappings
from connector.planning.change import Plan, carries_mark
from connector.planning.directory import Directory
from connector.planning.explanation import Origin, Outlook
from connector.planning.findings import Options, Part
from connector.planning.plan import Inputs, make_plan
from connector.planning.pricing import uses_prices
from connector.planning.resolve import Placer
from connector.planning.restatement import find_restated, restatement_findings
from connector.planning.snapshots import Snapshot
from connector.planning.sources import LIVE, source_named
from connector.runs.draft import finder_of, inputs_of, names_of
from connector.runs.explain.lines import LineTeller
from connector.runs.explain.next import next_step
from connector.runs.explain.subject import Subject, unknown_addition
from connector.runs.reading import READERS, ConnectWise, Usage, agreements_that_matter, read_directory
from connector.runs.story import Story
from connector.vendors.hands import in_order


@dataclass(frozen=True, slots=True)
class Now:
    """ConnectWise's records and the lines that matter, beside the plan of the newest stored month.

    `items` are also those that the map does not name, where a line that is explained sells one. `note` says
    which agreements do not show their additions.
    """

    directory: Directory
    items: Mapping[int, CatalogItem]
    additions: Mapping[int, tuple[Addition, ...]]
    inputs: Inputs
    plan: Plan
    origin: Origin
    note: str = ""

    def line(self, addition_id: int) -> Addition | None:
        """Return an addition as it is."""
        return next((each for each in self._every() if each.id == addition_id), None)

    def gone(self, addition_id: int, key: Key) -> bool:
        """Whether an addition is not on its agreement any more."""
        return key.agreement_id in self.additions and self.line(addition_id) is None

    def desired(self, key: Key) -> tuple[Part, ...]:
        """Return who feeds a key."""
        found = self.inputs.resolved.desired.get(key)
        return found.parts if found is not None else ()

    def peoples(self, subject: Subject) -> Iterator[Addition]:
        """Yield the live lines of people for what the subject's usage is mapped to."""
        keys = self._asked(subject)
        for line in self._every():
            ours = line.id in self.inputs.known or carries_mark(line)
            if line.key in keys and line.live(self.inputs.today) and not ours:
                yield line

    def marked(self, subject: Subject) -> Iterator[Addition]:
        """Yield the lines that are ours by their mark alone, for what the subject's usage is mapped to."""
        keys = self._asked(subject)
        for line in self._every():
            if line.key in keys and line.id not in self.inputs.known and carries_mark(line):
                yield line

    def outlook(self, key: Key, parts: Collection[Part]) -> Outlook | None:
        """Return what a run would do with a key, and tell of it; None where its agreement shows nothing."""
        if key.agreement_id not in self.additions:
            return None
        pairs = {part.pair for part in parts}
        change = next((each for each in self.plan.changes if each.key == key), None)
        unresolved = tuple(
            each
            for each in self.plan.unresolved
            if each.key == key or (each.key is None and (each.tenant_id, each.product_code) in pairs)
        )
        warnings = tuple(each for each in self.plan.warnings if each.key == key)
        command, advice = next_step(self.plan, change, unresolved, warnings)
        return Outlook(change, unresolved, warnings, self.origin, command, advice)

    def _asked(self, subject: Subject) -> frozenset[Key]:
        """Return the keys that the subject's usage feeds."""
        desired = self.inputs.resolved.desired
        return frozenset(key for key, each in desired.items() if any(map(subject.asks, each.parts)))

    def _every(self) -> Iterator[Addition]:
        return (line for agreement in sorted(self.additions) for line in self.additions[agreement])


def look(
    connectwise: ConnectWise, subject: Subject, teller: LineTeller, newest: Snapshot, story: Story
) -> Now:
    """Read what the subject's lines need of ConnectWise, and draft; raises CommandFault and VendorError."""
    ledger, mappings = teller.ledger, teller.now.mappings
    directory = read_directory(connectwise, ledger, (mappings,), teller.today, story)
    placer = Placer(mappings, directory)
    usage = _usage(newest, teller)
    if subject.unknown is not None:
        wanted = placer.agreement_ids() | agreements_that_matter(ledger)
    else:
        wanted = {key.agreement_id for key in subject.lines.values()}
        wanted |= {key.agreement_id for key in _keys(subject, usage, placer)}
    additions, refused = _read_each(connectwise, sorted(wanted & directory.agreements.keys()), story)
    if subject.unknown is not None:
        every = {line.id: line for lines in additions.values() for line in lines}
        if subject.unknown not in every:
            raise unknown_addition(subject.unknown, {*every, *teller.stored}, refused)
        subject.lines[subject.unknown] = every[subject.unknown].key
    billed = _as_billed(usage, ledger, mappings, teller)
    inputs = inputs_of(billed, placer, additions, ledger, options=Options(), today=teller.today)
    lacking = {key.item_id for key in subject.lines.values()} - directory.items.keys()
    more = connectwise.catalog_items(lacking) if lacking else ()
    items = directory.items | {item.id: item for item in more}
    return Now(directory, items, additions, inputs, make_plan(inputs), teller.origin(newest), refused)


def _read_each(
    connectwise: ConnectWise, agreement_ids: Sequence[int], story: Story
) -> tuple[dict[int, tuple[Addition, ...]], str]:
    """Return the additions of each agreement that shows them, and say which do not."""

    def additions(agreement_id: int) -> tuple[Addition, ...] | VendorError:
        try:
            return connectwise.additions(agreement_id)
        except VendorError as error:
            return error

    story.stage("Reading additions")
    reading = (partial(additions, agreement_id) for agreement_id in agreement_ids)
    answers = dict(zip(agreement_ids, in_order(READERS, reading), strict=True))
    refused = [(each, answer) for each, answer in answers.items() if isinstance(answer, VendorError)]
    told = ""
    if refused:
        listed = ", ".join(str(each) for each, _ in refused)
        told = f"ConnectWise did not show the additions of agreement {listed}: {refused[0][1].message}"
    return {each: answer for each, answer in answers.items() if not isinstance(answer, VendorError)}, told


def _keys(subject: Subject, usage: Usage, placer: Placer) -> Iterator[Key]:
    """Yield the keys that the subject's usage is mapped to."""
    finder = finder_of(usage, placer.mappings)
    for row in usage.rows:
        tenant_id = finder.tenant_of(row)
        if tenant_id is None:
            continue
        serials = (row.serial,) if row.serial is not None else ()
        if subject.asks(Part(tenant_id, row.product_code, row.quantity, serials)):
            place = placer.place(tenant_id, row.product_code)
            if isinstance(place, Key):
                yield place


def _usage(snapshot: Snapshot, teller: LineTeller) -> Usage:
    """Return a month as it is stored, with the tenants and firewalls that Sophos listed last."""
    rows = tuple(row for _, row in teller.rows(snapshot.number))
    source = source_named(snapshot.source)
    usage = Usage(snapshot.period, rows, *listed_last(teller.ledger), source=source)
    return replace(usage, uncounted=uncounted_then(teller.ledger)) if source == LIVE else usage


def _as_billed(usage: Usage, ledger: Ledger, mappings: Mappings, teller: LineTeller) -> Usage:
    """Return the month as it was billed, as a run would take it, with what has changed since."""
    billed = billed_month(ledger, usage.period, usage.source, teller.today)
    if usage.source == LIVE or billed is None:
        return usage
    whose = finder_of(usage, mappings).tenant_of
    restated = find_restated(billed.rows, usage.rows, whose, priced=uses_prices(mappings))
    if not restated:
        return usage
    told = restatement_findings(
        restated, usage.period, usage.source, names_of(usage, mappings), newer=ledger.newest_applied()
    )
    return replace(usage, rows=tuple(billed.rows), restated=told)
