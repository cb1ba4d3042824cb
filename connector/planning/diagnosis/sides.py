"""The numbers of every key side by side, and all that a plan says of it: what a diagnosis judges. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from connector.model import Addition, Key
from connector.planning.change import Plan, plain
from connector.planning.diagnosis.discrepancies import Discrepancy, KeyNumbers
from connector.planning.diagnosis.stakes import Costs, billed_of, billed_units, charged, worth_of
from connector.planning.diagnosis.written import WrittenThen
from connector.planning.findings import Desired, Part, Unresolved, Warn
from connector.planning.lines import Lines, lines_by_key
from connector.planning.plan import Inputs
from connector.planning.prices import Money
from connector.planning.resolve import Resolved
from connector.planning.sources import source_option
from connector.planning.usage_views import EXACT
from connector.planning.wording import Wording

ZERO = Decimal(0)
NO_LINES = Lines()


def listed(lines: Iterable[Addition]) -> str:
    """Name lines with their quantities: `9001 with 12 and 9005 with 4`."""
    return " and ".join(f"{line.id} with {plain(line.quantity)}" for line in lines)


def people_beside(lines: Collection[Addition]) -> str:
    """Say which lines of people bill beside ours."""
    many = len(lines) > 1
    return f"people's own addition{'s' if many else ''} {listed(lines)} bill{'' if many else 's'} beside ours"


class Sides:
    """Knows of each key what is used, what we wrote and what ConnectWise has, and names it for people."""

    def __init__(
        self,
        inputs: Inputs,
        plan: Plan,
        costs: Costs,
        unread: Mapping[int, str],
        *,
        then: WrittenThen | None = None,
        distributor: Resolved | None = None,
    ) -> None:
        """`unread` are agreements whose additions could not be read; nothing is concluded of them.

        `then` is what was written for the month, where a newer one has been billed since.
        """
        self.inputs = inputs
        self.plan = plan
        self.unread = unread
        self.then = then
        self._only_currency = costs.only_currency()
        self.directory = inputs.placer.directory
        self.words = Wording(inputs.placer, inputs.names, inputs.period)
        read = {key: lines for key, lines in inputs.additions.items() if key not in unread}
        self.lines = lines_by_key(read, inputs.known, inputs.today)
        self.implied = inputs.placer.pairs_by_key()
        self.changes = {
            change.key: change for change in plan.changes if change.key.agreement_id not in unread
        }
        self.unresolved: dict[Key, list[Unresolved]] = defaultdict(list)
        self.warnings: dict[Key, list[Warn]] = defaultdict(list)
        for entry in plan.unresolved:
            if entry.key is not None and not entry.billed:
                self.unresolved[entry.key].append(entry)
        for warning in plan.warnings:
            if warning.key is not None:
                self.warnings[warning.key].append(warning)
        self._written: dict[Key, Decimal] = defaultdict(Decimal, then.quantities if then is not None else {})
        for known in inputs.known.values():
            if then is None and not known.closed and known.ended is None:
                self._written[known.key] += known.quantity
        self._distributor = distributor.desired if distributor is not None else None
        self._numbers: dict[Key, KeyNumbers] = {}
        self.command_end = f" {inputs.period}{source_option(inputs.source)}"

    @cached_property
    def every_key(self) -> tuple[Key, ...]:
        """Every key that is ours to look at, in order: it is used, billed, or was written by us."""
        resolved = self.inputs.resolved.desired.keys()
        live = {
            key
            for key, lines in self.lines.items()
            if lines.managed or (lines.others and key in self.implied)
        }
        read = self.inputs.additions
        lost = {key for key, was in self._written.items() if was > 0 and key.agreement_id not in read}
        theirs = self._distributor.keys() if self._distributor is not None else set()
        return tuple(sorted(resolved | live | lost | theirs))

    def numbers(self, key: Key) -> KeyNumbers:
        """Return the numbers of one key."""
        if key not in self._numbers:
            self._numbers[key] = self._counted(key)
        return self._numbers[key]

    def _counted(self, key: Key) -> KeyNumbers:
        desired, live = self.desired(key), self.live(key)
        line = live[0] if live else None
        price = self.price(key, line)
        theirs = self._distributor.get(key) if self._distributor is not None else None
        there = self._distributor is not None
        return KeyNumbers(
            key=key,
            usage=desired.quantity if desired is not None and not desired.conflict else None,
            written=self._written.get(key),
            connectwise=sum((each.quantity for each in live), ZERO) if live else None,
            billed=sum((billed_of(each) for each in live), ZERO) if live else None,
            distributor=(theirs.quantity if theirs is not None else ZERO) if there else None,
            addition_ids=tuple(each.id for each in live),
            parts=desired.parts if desired is not None else (),
            company=self.company(key.agreement_id),
            agreement=self.agreement(key.agreement_id),
            item=self.words.item(key.item_id),
            unit_price=Money(price, self.currency(key)) if price is not None else None,
        )

    def desired(self, key: Key) -> Desired | None:
        """Return what a key should bill."""
        return self.inputs.resolved.desired.get(key)

    def live(self, key: Key) -> tuple[Addition, ...]:
        """Return the lines that bill a key, ours first."""
        lines = self.lines.get(key, NO_LINES)
        return (*lines.managed, *lines.others)

    def billing(self, key: Key) -> tuple[Addition, ...]:
        """Return the lines that bill a key at more than 0, ours first."""
        return tuple(line for line in self.live(key) if line.quantity > 0)

    def beside(self, key: Key) -> tuple[Addition, ...]:
        """Return people's own lines above 0 beside ours."""
        lines = self.lines.get(key, NO_LINES)
        return tuple(line for line in lines.others if line.quantity > 0) if lines.managed else ()

    def was(self, key: Key) -> tuple[Part, ...]:
        """Return who feeds a key, fed it before, or would by mappings.yaml."""
        desired = self.desired(key)
        if desired is not None:
            return desired.parts
        change, lines = self.changes.get(key), self.lines.get(key, NO_LINES)
        if change is not None and change.was:
            return change.was
        return lines.was or tuple(Part(*pair, ZERO) for pair in self.implied.get(key, ()))

    # Money ---------------------------------------------------------------------------------------

    def currency(self, key: Key) -> str:
        """Return the currency that a key is billed in: Sophos's only one where its agreement names none."""
        agreement = self.directory.agreements.get(key.agreement_id)
        named = agreement.currency if agreement is not None else ""
        return named or self._only_currency

    def price(self, key: Key, line: Addition | None) -> Decimal | None:
        """Return what a unit sells at: by its line, else by a rule, else by its item."""
        if line is not None and line.unit_price is not None:
            return line.unit_price
        change = self.changes.get(key)
        if change is not None and change.unit_price is not None:
            return change.unit_price.after
        item = self.directory.items.get(key.item_id)
        return item.price if item is not None else None

    def stake(self, key: Key) -> Money | None:
        """Return what the units come to that are billed too many or too few; 0 where none are charged."""
        desired, live = self.desired(key), self.live(key)
        wanted = max(desired.quantity, ZERO) if desired is not None else ZERO
        if not live:
            return worth_of(wanted, self.price(key, None), self.currency(key))
        lines = [line for line in live if charged(line)]
        if not lines:
            return Money(ZERO, self.currency(key))
        prices = [self.price(key, line) for line in lines]
        known = [price for price in prices if price is not None]
        if len(known) < len(prices):
            return None
        right = EXACT.multiply(billed_units(wanted, lines[0].less_included), known[0])
        for line, price in zip(lines, known, strict=True):
            right = EXACT.subtract(right, EXACT.multiply(billed_of(line), price))
        return Money(abs(right), self.currency(key))

    def worth(self, key: Key, units: Decimal) -> Money | None:
        """Return what so many units of a key come to; nothing where its line is not charged."""
        live = self.live(key)
        line = live[0] if live else None
        if line is not None and not charged(line):
            return Money(ZERO, self.currency(key))
        return worth_of(units, self.price(key, line), self.currency(key))

    # Names and commands --------------------------------------------------------------------------

    def company(self, agreement_id: int) -> str:
        """Return the identifier of an agreement's company, "" where ConnectWise has the agreement no more."""
        return self.words.company(agreement_id) if agreement_id in self.directory.agreements else ""

    def agreement(self, agreement_id: int) -> str:
        """Return an agreement's name, "" where ConnectWise has it no more."""
        return self.words.agreement(agreement_id) if agreement_id in self.directory.agreements else ""

    def named(self, key: Key) -> str:
        """Name a key: its item, agreement and company."""
        if key.agreement_id in self.directory.agreements:
            return self.words.key(key)
        return f"{self.words.item(key.item_id)} on agreement {key.agreement_id}"

    def command(self, name: str) -> str:
        """Return a command on this month and source: `connector plan 2026-10`.

        Nothing can be written for a month of which a newer one has been billed since: that one is planned.
        """
        if name == "sync" and self.then is not None:
            return f"connector plan {self.inputs.newest_applied}"
        return f"connector {name}{self.command_end}"

    def item(self, code: str, key: Key, message: str, next_step: str, **said: object) -> Discrepancy:
        """Return a finding of a key with its numbers; `said` are further fields, and win."""
        numbers = self.numbers(key)
        tenants = {part.tenant_id for part in self.was(key)}
        codes = {part.product_code for part in self.was(key)}
        tenant_id = next(iter(tenants)) if len(tenants) == 1 else None
        fields: dict[str, Any] = {
            "code": code,
            "message": f"{self.named(key)}: {message}",
            "next": next_step,
            "tenant_id": tenant_id,
            "product_code": next(iter(codes)) if len(codes) == 1 else None,
            "key": key,
            "addition_id": numbers.addition_ids[0] if numbers.addition_ids else None,
            "usage": numbers.usage,
            "written": numbers.written,
            "connectwise": numbers.connectwise,
            "billed": numbers.billed,
            "distributor": numbers.distributor,
            "tenant": self.tenant(tenant_id),
            "company": numbers.company,
            "agreement": numbers.agreement,
            "item": numbers.item,
        }
        return Discrepancy(**(fields | said))

    def tenant(self, tenant_id: str | None) -> str:
        """Return what people call a tenant."""
        return self.inputs.names.get(tenant_id, "") if tenant_id is not None else ""
