"""A run, stage by stage: read both vendors, plan, write down, apply."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from connector.errors import CommandFault, PlanMoved, StateFault
from connector.ledger import Ledger, StoredPlan, utc_now
from connector.model import (
    Addition,
    Mappings,
    Period,
    UsageRow,
)
from connector.planning.causes.charges import Charge, Place, charges_of
from connector.planning.change import Plan
from connector.planning.findings import Options, Warn
from connector.planning.plan import make_plan
from connector.planning.resolve import Placer
from connector.planning.sources import API, Source, source_named, source_option
from connector.planning.wording import Wording
from connector.reports.document import json_text, plan_document
from connector.reports.log_line import Level, LogLine
from connector.reports.outcome import Run
from connector.reports.run_lines import counted_lines, plan_lines
from connector.runs.apply import Applier, untried
from connector.runs.beside import Beside
from connector.runs.directory_read import Lengths, read_named, records_wanted, remember_lengths
from connector.runs.draft import finder_of, inputs_of, no_cycles
from connector.runs.left_open import LeftOpen
from connector.runs.lines_read import LinesRead
from connector.runs.reading import ConnectWise, Sophos, Usage
from connector.runs.sources import Reader
from connector.runs.story import Silence, Story

PARTLY_APPLIED = 6


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything that one run works with. Hold the state folder's lock while you use it."""

    sophos_client: Sophos | None
    connectwise: ConnectWise
    ledger: Ledger
    mappings: Mappings
    today: date
    run: int
    story: Story = field(default_factory=Silence)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = utc_now
    in_flight_seconds: float = 10.0

    @property
    def sophos(self) -> Sophos:
        """Sophos; a run from a file is begun without it, because its MSP need not have credentials."""
        if self.sophos_client is None:
            raise AssertionError("a run that asks Sophos is begun with a client of it")
        return self.sophos_client

    @property
    def reader(self) -> Reader:
        """What reads a month for this run."""
        return Reader(lambda: self.sophos, self.ledger, self.run, self.today, self.story)

    def plan(self, period: Period | None, options: Options, source: Source = API) -> Plan:
        """Read both sides, store the usage and the plan, and return it; ConnectWise stays as it is.

        Without a period it is for the newest month that the source has.
        """
        reader = self.reader
        named = records_wanted(self.ledger, self.mappings)
        lines = LinesRead(self.connectwise, self.ledger, self.today, self.story)

        def read(story: Story) -> tuple[Placer, Lengths]:
            story.stage("Reading ConnectWise")
            directory, lengths = read_named(self.connectwise, named, self.today)
            placer = Placer(self.mappings, directory)
            lines.read((placer.agreement_ids() | named.held) & directory.agreements.keys(), story)
            return placer, lengths

        with Beside(read) as connectwise, self._let_go(connectwise):
            usage = reader.read(source, period, connectwise.begin)
            known_ids = {tenant.id for tenant in usage.tenants} | self.mappings.tenants.keys()
            _must_be_known(options, known_ids, usage.rows, self.mappings)
            placer, lengths = connectwise.result(self.story)
        remember_lengths(self.ledger, lengths)
        self.settle_open(lines.first())
        usage = reader.as_billed(usage, placer, options)
        with no_cycles():
            inputs = inputs_of(usage, placer, {}, self.ledger, options=options, today=self.today)

        def drafted(additions: Mapping[int, tuple[Addition, ...]], warnings: tuple[Warn, ...]) -> Plan:
            with no_cycles():
                return make_plan(replace(inputs, additions=additions, warnings=warnings))

        pages = len(usage.tenants) // 100 + len(usage.firewalls) // 50
        plan = lines.planned(drafted, inputs.known, Wording(placer, {}, usage.period), pages)
        directory = placer.directory
        self.ledger.learn_names(directory.learned)
        self.ledger.record_items(directory.items.values())
        self.ledger.record_agreements(directory.agreements[each] for each in sorted(lines.wanted))
        self.ledger.store_plan(self.run, plan, json_text(plan_document(plan)))
        for line in plan_lines(plan, self._charges(plan, usage)):
            self.story.said(line)
        return plan

    def apply(self, plan: Plan, digest: str) -> Run:
        """Make the plan's changes, unless a guard objects; `digest` is the plan a person asked for."""
        if plan.objections:
            for line in counted_lines(plan.to_make, "not_tried", str(plan.period), "a guard refused the run"):
                self.story.said(line)
            return Run(
                self.run,
                digest,
                plan,
                [untried(change, "a guard refused the run") for change in plan.changes],
            )
        self.story.stage("Writing to ConnectWise")
        applier = Applier(
            self.connectwise,
            self.ledger,
            run=self.run,
            today=self.today,
            in_flight_seconds=self.in_flight_seconds,
        )
        results = applier.apply(plan, digest, self.story)
        return Run(self.run, digest, plan, results, interrupted=applier.interrupted)

    def sync(self, period: Period | None, options: Options, source: Source = API) -> Run:
        """Plan, guard and apply in one go."""
        plan = self.plan(period, options, source)
        return self.apply(plan, plan.digest)

    def apply_stored(self, digest: str) -> Run:
        """Apply a stored plan; raises PlanMoved unless a fresh one is the same less what is done."""
        stored = self.stored(digest)
        fresh = self.plan(stored.period, stored.options, source_named(stored.source))
        # Read again: planning has settled what an earlier run left open, and so knows more of it as done.
        _must_be_same(self.stored(digest), fresh)
        return self.apply(fresh, digest)

    def stored(self, digest: str) -> StoredPlan:
        """Return a plan that was made for a month; raises CommandFault where there is none."""
        stored = self.ledger.plan(digest)
        if stored is None:
            raise CommandFault(
                f"There is no plan {digest} in {self.ledger.path}.",
                "Make one with: connector plan. Its first line names its digest.",
            )
        undoes = json.loads(stored.document).get("undoes")
        if undoes is not None:
            raise CommandFault(
                f"Plan {digest} takes run {undoes} back; it bills no month.",
                f"To carry it out: connector runs undo {undoes}",
            )
        return stored

    def finish(self, exit_code: int) -> None:
        """Record how the run ended. Where something was written, that must be told even if this fails."""
        try:
            self.ledger.finish_run(self.run, exit_code)
        except StateFault:
            if exit_code != PARTLY_APPLIED:
                raise
        message = f"Run {self.run} ends with exit code {exit_code}."
        level: Level = "warning" if exit_code else "info"
        self.story.said(LogLine("run.end", message, level, exit_code=exit_code))

    @contextmanager
    def _let_go(self, connectwise: Beside[tuple[Placer, Lengths]]) -> Iterator[None]:
        """Where the block fails, let nothing more leave for ConnectWise that nobody waits for."""
        try:
            yield
        except BaseException:
            if connectwise.under_way:
                self.connectwise.close()
            raise

    def _charges(self, plan: Plan, usage: Usage) -> dict[Place, Charge]:
        """Return what Sophos charges for each row; nothing is worked out where all of it is billed."""
        waiting = [entry for entry in plan.unbilled if entry.rows]
        if not waiting:
            return {}
        return charges_of(usage.rows, finder_of(usage, self.mappings).tenant_of, of=waiting)

    def settle_open(self, additions: dict[int, tuple[Addition, ...]]) -> None:
        """Decide every change that an earlier run left open, by what ConnectWise shows now (rule 21)."""
        LeftOpen(
            self.connectwise,
            self.ledger,
            self.run,
            sleep=self.sleep,
            now=self.now,
            in_flight_seconds=self.in_flight_seconds,
        ).settle(additions)


def _must_be_known(
    options: Options, tenant_ids: Collection[str], rows: Iterable[UsageRow], mappings: Mappings
) -> None:
    """Refuse a plan for a tenant or product that does not exist: an empty plan would look like peace.

    The rows are gone through only where nothing else knows what was asked for.
    """
    tenant, product = options.tenant, options.product
    if tenant is not None and tenant not in tenant_ids and all(row.account_id != tenant for row in rows):
        raise CommandFault(f"No tenant has the id {tenant!r}.", "Give the id as Sophos has it, not the name.")
    if product is not None:
        mapped = {*mappings.products, *(code for each in mappings.tenants.values() for code in each.products)}
        if product not in mapped and all(row.product_code != product for row in rows):
            raise CommandFault(
                f"No usage and no mapping has the product code {product!r}.",
                "Give the code as mappings.yaml has it, in the same upper and lower case.",
            )


def _must_be_same(stored: StoredPlan, fresh: Plan) -> None:
    """Raise PlanMoved unless the fresh plan is the stored one less what is done (contract section 3).

    What is done and would be made again (people have undone it) is still what was asked for.
    """
    now = [change.writes for change in fresh.changes]
    new = sum(write not in stored.writes for write in now)
    gone = sum(write not in now and write not in stored.done for write in stored.writes)
    if new or gone:
        raise PlanMoved(
            f"Since plan {stored.digest} was made, things have changed: {gone} of its changes would not be "
            f"made any more, and {new} others would. Nothing was written.",
            f"Look at the new plan, {fresh.digest}, and apply that: connector plan {stored.period}"
            f"{source_option(stored.source)}{' --restate' if stored.options.restate else ''}",
        )
