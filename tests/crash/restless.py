"""A month in which everything happens, and what must be true after it, however it went."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Addition

Line = tuple[Any, ...]


@dataclass
class Restless:
    """An MSP whose October has creates, updates, an adoption, and lines that go to zero or end."""

    msp: Msp
    run: Run
    absent: str = "zero"
    crowd: int = 0
    """So many further customers, a third of whom change in the second month."""
    customers: dict[str, Customer] = field(default_factory=dict)
    people: dict[int, Line] = field(default_factory=dict)

    def begin(self) -> None:
        """Bill September in peace, and let October come."""
        msp = self.msp
        msp.mappings["defaults"] = {"adopt": "auto", "absent": self.absent}
        for name, uses in {
            "Alder": {"CIXA-MSP": 12, "CEMA-MSP": 3},
            "Birch": {"CIXA-MSP": 40},
            "Cedar": {"CIXA-MSP": 7, "CEMA-MSP": 7},
        }.items():
            self.customers[name] = msp.customer(name, uses)
        crowd = [msp.customer(f"Crowd{number:02}", {"CIXA-MSP": 20}) for number in range(self.crowd)]
        assert self.run("sync").exit_code == 0
        msp.next_month()
        for number, customer in enumerate(crowd):
            self.customers[f"Crowd{number:02}"] = customer
            customer.uses("CIXA-MSP", 20 + number % 3)
            if number % 2:
                customer.uses("CEMA-MSP", number)
        alder, birch, cedar = (self.customers[name] for name in ("Alder", "Birch", "Cedar"))
        alder.uses("CIXA-MSP", 15)
        birch.uses("CIXA-MSP", 38)
        birch.uses("CEMA-MSP", 4)
        cedar.stops("CEMA-MSP")
        elm = self.customers["Elm"] = msp.customer("Elm", {"CIXA-MSP": 5, "CEMA-MSP": 2})
        elm.has(ENDPOINT, 4)
        alder.has("OTHER-ITEM", 9)
        self.people = self._people()

    @property
    def due(self) -> dict[str, dict[str, int]]:
        """What each customer must be billed in the end, lines at zero and ended ones left out."""
        return {
            "Alder": {ENDPOINT: 15, EMAIL: 3, "OTHER-ITEM": 9},
            "Birch": {ENDPOINT: 38, EMAIL: 4},
            "Cedar": {ENDPOINT: 7},
            "Elm": {ENDPOINT: 5, EMAIL: 2},
            **{
                f"Crowd{number:02}": {ENDPOINT: 20 + number % 3} | ({EMAIL: number} if number % 2 else {})
                for number in range(self.crowd)
            },
        }

    def check(self) -> None:
        """Make sure that each key is billed once and right, nothing else is touched, the ledger knows it."""
        assert self.duplicates() == 0
        assert self.lost() == 0
        cedar = self.customers["Cedar"]
        assert [line.quantity for line in cedar.lines(EMAIL)] == ([0] if self.absent == "zero" else [])
        assert self._people() == self.people
        posted = [write for write in self.msp.world.history if write.method == "POST"]
        keys = [
            (write.agreement_id, write.after.item_id) for write in posted if isinstance(write.after, Addition)
        ]
        assert len(keys) == len(posted)
        assert len(keys) == len(set(keys)), f"a key was created twice: {keys}"
        assert self.ledger() == self.connectwise()

    def duplicates(self) -> int:
        """Count the lines that bill a key a second time."""
        keys = Counter((line.agreement_id, line.item_id) for line in self.msp.world.live_additions())
        return sum(count - 1 for count in keys.values())

    def lost(self) -> int:
        """Count what is due and not billed, billed and not due, or billed wrong."""
        billed = {
            (name, item, quantity)
            for name, customer in self.customers.items()
            for item, quantity in customer.bills.items()
            if quantity
        }
        due = {(name, item, quantity) for name, items in self.due.items() for item, quantity in items.items()}
        return len(billed ^ due)

    def ledger(self) -> dict[int, int]:
        """Return what the ledger says our live additions bill."""
        with closing(sqlite3.connect(self.run.state / "connector.db")) as database:
            rows = database.execute("SELECT id, quantity FROM additions WHERE ended IS NULL AND NOT closed")
            billed = {int(addition): int(quantity) for addition, quantity in rows}
            left = database.execute("SELECT count(*) FROM changes WHERE outcome IN ('planned', 'sending')")
            assert left.fetchone() == (0,)
        return billed

    def connectwise(self) -> dict[int, int]:
        """Return what ConnectWise bills on our live additions."""
        people = set(self.people)
        return {
            line.id: int(line.quantity or 0)
            for line in self.msp.world.live_additions()
            if line.id not in people
        }

    def _people(self) -> dict[int, Line]:
        """Return every line that people made and that is not ours to change, as it is."""
        world = self.msp.world
        other = self.msp.item("OTHER-ITEM").id
        return {
            line.id: (line.quantity, line.serial_number, line.unit_price, line.effective, line.cancelled)
            for line in world.additions.values()
            if line.item_id == other
        }
