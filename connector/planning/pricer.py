"""The prices of a plan's lines: what each should sell at and cost, and what of it a person must decide."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from connector.model import Addition, Agreement, Key
from connector.planning.change import Change, Moved
from connector.planning.findings import Desired, Part, Unresolved, Warn
from connector.planning.prices import Money
from connector.planning.pricing import (
    Doubt,
    Pair,
    Priced,
    Rule,
    Worth,
    bill_of,
    price_key,
    rule_for,
    uses_prices,
)
from connector.planning.resolve import Placer
from connector.planning.wording import Wording

NEXT_STEPS = {
    "PRICE_CONFLICT": "give all that feeds it the same `pricing` in mappings.yaml, or items of their own",
    "PRICE_UNKNOWN": "set the price in ConnectWise, or give it `price: {fixed: ...}` and `cost: leave` in "
    "mappings.yaml",
    "CURRENCY_MISMATCH": "write the rate under `pricing: rates:` in mappings.yaml",
}


class Pricer:
    """Prices the lines of one plan and collects what people must know; does nothing where no rule is on."""

    def __init__(self, placer: Placer, worth: Mapping[Pair, Worth], words: Wording) -> None:
        """`worth` is what each tenant's usage of each code costs and lists at."""
        self._mappings = placer.mappings
        self._agreements = placer.directory.agreements
        self._items = placer.directory.items
        self._worth = worth
        self._words = words
        self._on = uses_prices(placer.mappings)
        self._counts = self._on or placer.mappings.guards.money is not None
        self.waiting: list[Unresolved] = []
        self.warnings: list[Warn] = []

    @property
    def on(self) -> bool:
        """Whether any rule owns a price or a cost."""
        return self._on

    def prices(self, key: Key, desired: Desired, line: Addition | None) -> tuple[Moved | None, Moved | None]:
        """Return the price and the cost that a line of this key has to be given, None where it stays."""
        if not self._on:
            return None, None
        agreement = self._agreements[key.agreement_id]
        fed = [part for part in desired.parts if part.committed or part.pair in self._worth]
        found = self._priced(desired, fed, agreement, self._sells_at(key, line))
        if isinstance(found, Doubt):
            self._wait(key, desired, found)
            return None, None
        self.warnings += [Warn(code, f"{self._words.key(key)}: {what}", key) for code, what in found.warnings]
        shown = (line.unit_price, line.unit_cost) if line is not None else (None, None)
        price, cost = (
            None if after is None or after == before else Moved(before, after)
            for before, after in zip(shown, (found.price, found.cost), strict=True)
        )
        return price, cost

    def _priced(
        self, desired: Desired, fed: Sequence[Part], agreement: Agreement, line_price: Decimal | None
    ) -> Priced | Doubt:
        """Price a key; units that only a minimum bills sell at what the used ones sell at."""
        rules = [self._rule(part, agreement) for part in fed]  # rows of 0 alone have no say

        def at(quantity: Decimal) -> Priced | Doubt:
            return price_key(
                rules,
                desired.parts,
                self._worth,
                quantity=quantity,
                currency=agreement.currency,
                line_price=line_price,
            )

        found = at(desired.quantity)
        sold = at(desired.quantity - desired.committed) if desired.committed else found
        if isinstance(found, Doubt) or isinstance(sold, Doubt) or sold.price is None:
            return found
        return replace(found, price=sold.price, warnings=sold.warnings)

    def with_money(self, change: Change, line: Addition | None) -> Change:
        """Return the change with what it moves on the bill, where that is asked for and known."""
        if not self._counts:
            return change
        included = line.less_included if line is not None else Decimal(0)
        shown = self._sells_at(change.key, line)
        before = bill_of(line.quantity, included, shown) if line is not None else Decimal(0)
        price = shown if change.unit_price is None else change.unit_price.after
        after = bill_of(Decimal(0) if change.kind == "end" else change.after, included, price)
        if before is None or after is None:
            return change
        currency = self._agreements[change.key.agreement_id].currency
        return replace(change, money=Money(after - before, currency))

    def _rule(self, part: Part, agreement: Agreement) -> Rule:
        """Return the rule of a part; a currency without decimals is rounded to whole units at least."""
        rule = rule_for(self._mappings, *part.pair)
        return replace(rule, round=max(rule.round, Decimal(1))) if agreement.whole else rule

    def _sells_at(self, key: Key, line: Addition | None) -> Decimal | None:
        """Return what a unit sells at where no rule owns the price: a new line takes its item's."""
        if line is not None:
            return line.unit_price
        item = self._items.get(key.item_id)
        return item.price if item is not None else None

    def _wait(self, key: Key, desired: Desired, doubt: Doubt) -> None:
        """Leave the prices of a key alone; its quantity is billed all the same."""
        self.waiting += [
            Unresolved(
                code=doubt.code,
                message=f"{self._words.key(key)}: {doubt.message}; price and cost are left as they are",
                tenant_id=part.tenant_id,
                product_code=part.product_code,
                quantity=part.quantity,
                key=key,
                rows=0,
                next_step=NEXT_STEPS[doubt.code],
                billed=True,
            )
            for part in desired.parts
            if doubt.pairs is None or part.pair in doubt.pairs
        ]
