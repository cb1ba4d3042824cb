"""Compares what we would bill with the lines that are there, key by key, and comes to no change at all."""

from dataclasses import replace
from decimal import Decimal

from connector.model import Key, Mappings
from connector.planning.change import plain
from connector.planning.findings import Desired
from connector.planning.lines import Lines, lines_by_key
from connector.planning.plan import Inputs, make_plan
from connector.planning.prices import Money
from connector.planning.pricing import bill_of
from connector.planning.resolve import UNMAPPED, Off, Placer
from connector.planning.shadow import Compared, RowCounts, Shadow, State
from connector.planning.wording import Wording

ZERO = Decimal(0)


def compare(inputs: Inputs) -> Shadow:
    """Compare every key that the map names, or that holds lines of ours, with its live lines."""
    return _Comparer(inputs).compare()


def everything_on(mappings: Mappings) -> Mappings:
    """Return the map as it would be if nothing in it were turned off: so is found what is off."""
    return replace(
        mappings,
        products={code: replace(entry, sync=True) for code, entry in mappings.products.items()},
        tenants={
            tenant_id: replace(
                entry,
                sync=True,
                products={
                    code: replace(said, sync=said.sync or None) for code, said in entry.products.items()
                },
            )
            for tenant_id, entry in mappings.tenants.items()
        },
    )


class _Comparer:
    """Goes through the keys one by one."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.directory = inputs.placer.directory
        self.words = Wording(inputs.placer, inputs.names, inputs.period)
        self.lines = lines_by_key(inputs.additions, inputs.known, inputs.today)
        self.pairs = Placer(everything_on(inputs.placer.mappings), self.directory).pairs_by_key()
        plan = make_plan(replace(inputs, options=replace(inputs.options, adopt=True)))
        self.held = {change.key: change.held for change in plan.changes if change.held is not None}
        self.unresolved = {
            entry.key: entry for entry in plan.unresolved if entry.key is not None and not entry.billed
        }
        self.waiting = {entry.product_code for entry in inputs.resolved.unresolved}

    def compare(self) -> Shadow:
        ours = {key for key, lines in self.lines.items() if lines.managed}
        desired = self.inputs.resolved.desired
        found, off = [], 0
        for key in sorted(desired.keys() | self.pairs.keys() | ours):
            lines = self.lines.get(key, Lines())
            wanted = desired.get(key)
            if wanted is not None and wanted.conflict:
                continue  # its codes disagree on how they add up, so nobody knows what to compare
            if wanted is None and self.off(key):
                off += bool(lines.live)
                continue
            state = _state(wanted, lines)
            if state is not None:
                found.append(self.compared(key, state, wanted, lines))
        return Shadow(
            self.inputs.period,
            self.inputs.source,
            tuple(found),
            self.rows(),
            off,
            adopts=self.inputs.placer.mappings.defaults.adopt != "never",
        )

    def off(self, key: Key) -> bool:
        """Whether the map turns off all that would feed a key."""
        pairs = self.pairs.get(key, ())
        return bool(pairs) and all(isinstance(self.inputs.placer.place(*pair), Off) for pair in pairs)

    def compared(self, key: Key, state: State, wanted: Desired | None, lines: Lines) -> Compared:
        waits = self.waits_for(key, state)
        there = sum((line.quantity for line in lines.live), ZERO) if lines.live else None
        made = Compared(
            key=key,
            state="WAITS" if state == "NO_LINE" and waits else state,
            wanted=wanted.quantity if wanted is not None else None,
            there=there,
            addition_ids=tuple(line.id for line in lines.live),
            ours=bool(lines.managed) and not lines.others,
            parts=wanted.parts if wanted is not None else (),
            company=self.words.company(key.agreement_id),
            agreement=self.words.agreement(key.agreement_id),
            item=self.words.item(key.item_id),
            waits_for=waits,
        )
        return replace(made, money=self.money(made, lines), message=self.message(made))

    def waits_for(self, key: Key, state: State) -> str:
        """Return why a run would not bring a key to what we would bill, empty where it would."""
        if state in {"SAME", "SEVERAL_LINES"}:
            return ""
        if state == "NO_LINE" and key in self.unresolved:
            return self.unresolved[key].code
        return self.held.get(key, "")

    def money(self, made: Compared, lines: Lines) -> Money | None:
        """Return by how much the bill would change, at the price of the line there, or of its item."""
        if made.state in {"SEVERAL_LINES", "WAITS"}:
            return None
        (line,) = lines.live or (None,)
        item = self.directory.items.get(made.key.item_id)
        price = line.unit_price if line is not None else item.price if item is not None else None
        included = line.less_included if line is not None else ZERO
        after = bill_of(made.wanted or ZERO, included, price)
        before = bill_of(made.there or ZERO, included, price)
        if before is None or after is None:
            return None
        return Money(after - before, self.directory.agreements[made.key.agreement_id].currency)

    def message(self, made: Compared) -> str:
        """Say what differs."""
        wanted, there = plain(made.wanted or ZERO), plain(made.there or ZERO)
        ids = ", ".join(str(each) for each in made.addition_ids)
        codes = {code for _, code in self.pairs.get(made.key, ())} & self.waiting
        beside = f"; rows of {' and '.join(sorted(map(str, codes)))} wait to be placed" if codes else ""
        month = self.inputs.period
        together = f"several lines bill at the same time (ids {ids}), {there} together"
        told: dict[State, str] = {
            "SAME": "",
            "OTHER_QUANTITY": f"addition {ids} has {there}; we would bill {wanted}",
            "NO_LINE": f"there is no line; we would create one with {wanted}",
            "WAITS": f"there is no line for {wanted}, and a run would make none: {self.reason(made)}",
            "SEVERAL_LINES": f"{together}; we would bill {wanted}",
            "NOTHING_FEEDS": f"addition {ids} has {there}, and no usage of {month} feeds it{beside}",
        }
        held = made.waits_for and made.state != "WAITS"
        return told[made.state] + (f"; that waits for a person ({made.waits_for})" if held else "")

    def reason(self, made: Compared) -> str:
        """Say why a run would make no line."""
        entry = self.unresolved.get(made.key)
        if entry is None:
            return f"it waits for a person ({made.waits_for})"
        return f"{entry.message.removeprefix(f'{self.words.key(made.key)}: ')} ({entry.code})"

    def rows(self) -> RowCounts:
        """Count the month's rows by what becomes of them."""
        resolved, placer = self.inputs.resolved, self.inputs.placer
        off = sum(
            rows for pair, rows in resolved.rows_by_pair.items() if isinstance(placer.place(*pair), Off)
        )
        unmapped = sum(entry.rows for entry in resolved.unresolved if _unmapped(entry.code, entry.tenant_id))
        unplaced = sum(entry.rows for entry in resolved.unresolved) - unmapped
        unplaced += sum(
            resolved.rows_by_pair.get(part.pair, 0)
            for desired in resolved.desired.values()
            if desired.conflict
            for part in desired.parts
        )
        compared = resolved.rows - off - unmapped - unplaced
        return RowCounts(resolved.rows, compared, off, unmapped, unplaced)


def _unmapped(code: str, tenant_id: str | None) -> bool:
    return code in UNMAPPED and tenant_id is not None


def _state(wanted: Desired | None, lines: Lines) -> State | None:
    """Return how a key stands, or None where neither side bills anything."""
    live = lines.live
    quantity = wanted.quantity if wanted is not None else ZERO
    if len(live) > 1:
        return "SEVERAL_LINES" if quantity or any(line.quantity for line in live) else None
    if not live:
        return "NO_LINE" if quantity else None
    if live[0].quantity == quantity:
        return "SAME" if wanted is not None else None
    return "OTHER_QUANTITY" if quantity else "NOTHING_FEEDS"
