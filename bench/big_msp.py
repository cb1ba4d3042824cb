"""An MSP of any size with eight products for each tenant: its world, its months, and what must be billed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from bench.fewest import Size
from connector.model import Key
from connector.planning.change import mark_of
from connector.simulator import Addition, World, generated_world
from connector.simulator.connectwise_records import Additions

LINES = 8
NEIGHBOURS = 7
"""Companies that Sophos has nothing to do with, with a line each; without them every list would end on a
full page, and the next one would have to be asked for."""
SEPTEMBER, OCTOBER = (2026, 9), (2026, 10)


class BigMsp:
    """One world, and the words in which a scenario sets it up."""

    def __init__(self, tenants: int) -> None:
        self.world: World = generated_world(tenants, lines=LINES)
        self.tenants = tenants
        world = self.world
        (desktop,) = (item for item in world.items.values() if item.identifier == "MANAGED-DESKTOP")
        for number in range(NEIGHBOURS):
            company = world.add_company(f"Neighbour{number}", f"Neighbour {number}")
            agreement = world.add_agreement(company.id, "Desktops", bill_start=date(2025, 1, 1))
            world.add_addition(agreement.id, desktop.id, 1 + number)
        companies = {company.identifier: company.id for company in world.companies.values()}
        agreements = {agreement.company_id: agreement.id for agreement in world.agreements.values()}
        self._agreements = {
            tenant_id: agreements[companies[str(decision.company)]]
            for tenant_id, decision in world.decisions.tenants.items()
        }
        items = {item.identifier: item.id for item in world.items.values()}
        self._items = {code: items[str(decision.item)] for code, decision in world.decisions.products.items()}

    # What is used --------------------------------------------------------------------------------

    def october_is_like_september(self) -> None:
        """Let nothing change from the one month to the other."""
        for before, now in zip(self.world.usage[SEPTEMBER], self.world.usage[OCTOBER], strict=True):
            now.quantity = now.actual = before.quantity

    def october_changes_every(self, nth: int) -> None:
        """Let every nth tenant use one more or one less of everything; no guard minds, the sum stays."""
        self.october_is_like_september()
        changing = set(list(self.world.tenants)[::nth])
        for number, row in enumerate(self.world.usage[OCTOBER]):
            if self._tenant(row.account_id, row.serial_or_account) in changing:
                row.quantity += -1 if number % 2 and row.quantity > 1 else 1
                row.actual = row.quantity

    def due(self, period: tuple[int, int] = OCTOBER) -> dict[Key, Decimal]:
        """Return what must be billed for each key, from the usage alone."""
        sums: Counter[Key] = Counter()
        for row in self.world.usage[period]:
            agreement = self._agreements[self._tenant(row.account_id, row.serial_or_account)]
            sums[Key(agreement, self._items[row.product.code])] += row.quantity
        return {key: Decimal(quantity) for key, quantity in sums.items()}

    def _tenant(self, account: str | None, serial: str) -> str:
        return account or self.world.firewalls[serial].billing_tenant or ""

    # What is billed ------------------------------------------------------------------------------

    def lines(self) -> list[Addition]:
        """Return copies of all additions as they are now."""
        return [replace(line, trace=replace(line.trace)) for line in self.world.additions.by_id()]

    def put_back(self, lines: Iterable[Addition]) -> None:
        """Let ConnectWise hold these additions and no others, and forget what was written."""
        self.world.additions = Additions()
        for line in lines:
            self.world.additions[line.id] = replace(line, trace=replace(line.trace))
        self.world.history.clear()

    def bill_september_by_hand(self) -> None:
        """Put every line of September there as a first run leaves it, marked and made by the API member."""
        for key, quantity in sorted(self.due(SEPTEMBER).items()):
            self.world.add_addition(
                key.agreement_id,
                key.item_id,
                quantity,
                made_by=self.world.api_member,
                serial_number=mark_of(key),
                effective=self.world.agreements[key.agreement_id].start.replace(2026, 9, 1),
            )

    def faults(self, others: Iterable[Addition]) -> list[str]:
        """Say what is not as it must be: each key billed once and rightly, other people's lines untouched."""
        due = self.due()
        billed: dict[Key, list[Addition]] = {}
        untouched = {line.id: line for line in others}
        said = []
        for line in self.world.additions.by_id():
            if line.id in untouched:
                known = untouched.pop(line.id)
                if (line.quantity, line.cancelled) != (known.quantity, known.cancelled):
                    said.append(f"addition {line.id}, which is not ours, was changed")
            elif line.live_on(self.world.today):
                billed.setdefault(Key(line.agreement_id, line.item_id), []).append(line)
        said += [f"addition {number}, which is not ours, is gone" for number in untouched]
        for key in sorted(due.keys() | billed.keys()):
            quantities = [line.quantity for line in billed.get(key, [])]
            if quantities != [due.get(key)]:
                told = ", ".join(f"{quantity}" for quantity in quantities) or "nothing"
                said.append(
                    f"agreement {key.agreement_id}, item {key.item_id}: billed {told} for {due.get(key)}"
                )
        return said

    # How much there is ---------------------------------------------------------------------------

    def size(self) -> Size:
        """Return how much a run finds to read."""
        world = self.world
        return Size(
            tenants=len(world.tenants),
            rows=len(world.usage[OCTOBER]),
            firewalls=len(world.firewalls),
            companies=len(world.companies),
            agreements=len(world.agreements),
            mapped=len(set(self._agreements.values())),
            additions=len(world.additions),
            items=len(self._items),
        )
