"""A month with every kind of change in it, and the books that must balance after whatever went wrong."""

import sqlite3
from collections import Counter
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from figures import note
from months.calling import Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Addition, Simulator

Key = tuple[int, int]
BACKUP = "BACKUP-DAILY"
FIREWALL = "SOPHOS-XGS"
MAY_EXIT = {0, 3, 4, 5, 6}
DAY_BEFORE = date(2026, 10, 31)


@dataclass
class Books:
    """What the month should come to, and what was there before it."""

    run: Run
    ends: bool
    """Whether usage that stopped ends its line (`absent: end`) instead of setting it to 0."""
    keys: dict[str, Key] = field(default_factory=dict)
    """The keys that change or are created, by what becomes of them; and `kept`, which stays as it is."""
    wanted: dict[Key, Decimal | None] = field(default_factory=dict)
    """Each key's quantity after the month; None where its line ends."""
    before: dict[int, Addition] = field(default_factory=dict)
    """Every addition as it was when the month began."""
    hands_off: set[int] = field(default_factory=set)
    """Lines of people that nobody may touch."""
    earlier: dict[Key, list[list[Decimal | None]]] = field(default_factory=dict)
    """The quantities that a key's live lines may still have while no run has said that all is done."""
    posts_before: int = 0
    customers: dict[str, Customer] = field(default_factory=dict)

    @property
    def simulator(self) -> Simulator:
        """The servers."""
        return self.run.simulator

    def agreement(self, what: str) -> int:
        """Return the agreement on which that is to happen."""
        return self.keys[what][0]

    def open(self) -> None:
        """Keep everything as it is before anything goes wrong."""
        world = self.run.msp.world
        self.before = {number: deepcopy(line) for number, line in world.additions.items()}
        self.posts_before = len(world.history)
        self.earlier = {key: [[line.quantity for line in self.live(key)]] for key in self.wanted}

    def uses_now(self, what: str, code: str, quantity: int) -> None:
        """Let a customer use something else than before, while the month is not finished."""
        key = self.keys[what]
        self.earlier[key].append([self.wanted[key]])
        self.wanted[key] = Decimal(quantity)
        self.customers[what].uses(code, quantity)

    # The runs ------------------------------------------------------------------------------------

    def sync(self, **settings: str | None) -> Result:
        """Run once, whatever is on duty, and look at what it left behind."""
        world, faults = self.run.msp.world, self.simulator.faults
        committed, injected = len(world.history), sum(faults.injected.values())
        result = self.run("sync", **settings)
        note("fault suite", runs=1, faults_injected=sum(faults.injected.values()) - injected)
        assert result.exit_code in MAY_EXIT, result.stdout
        if result.exit_code == 5:
            assert len(world.history) == committed, "exit 5, and yet something was written"
        if "outcomes" in result.json:
            self.check_outcomes(result)
        self.check(finished=result.exit_code == 0)
        return result

    def settle(self, **settings: str | None) -> list[int]:
        """Run without faults until all is said to be done, three times at most; return the exit codes."""
        self.simulator.faults.clear()
        self.simulator.before_request = self.simulator.after_commit = None
        codes: list[int] = []
        while 0 not in codes and len(codes) < 3:
            codes.append(self.sync(**settings).exit_code)
        if codes[-1] != 0:
            note("fault suite", lost=1)
        assert codes[-1] == 0, f"not done after three runs without faults: {codes}"
        return codes

    # What must hold ------------------------------------------------------------------------------

    def check(self, *, finished: bool) -> None:
        """Look at ConnectWise, then at the ledger; `finished`: a run has said that all is done."""
        doubled = [key for key in self.wanted if len(self.live(key)) > 1]
        posted = Counter(
            (write.agreement_id, write.after.item_id)
            for write in self.run.msp.world.history[self.posts_before :]
            if write.method == "POST" and isinstance(write.after, Addition)
        )
        twice = [key for key, count in posted.items() if count > 1]
        lost = [key for key in self.wanted if not self.has_what_it_may(key, finished=finished)]
        note("fault suite", duplicates=len({*doubled, *twice}), lost=len(lost))
        assert not doubled, f"billed twice: {doubled}"
        assert not twice, f"made twice: {twice}"
        assert not lost, f"lost or wrong (finished: {finished}): {[(k, self.live(k)) for k in lost]}"
        self.check_nothing_else()
        self.check_ledger(finished=finished)

    def live(self, key: Key) -> list[Addition]:
        """Return a key's live lines."""
        return self.run.msp.world.live_additions(*key)

    def has_what_it_may(self, key: Key, *, finished: bool) -> bool:
        """Whether a key is billed as it should be, or, while the month is not finished, as it was."""
        live, wanted = [line.quantity for line in self.live(key)], self.wanted[key]
        if live == ([] if wanted is None else [wanted]):
            return True
        return not finished and live in self.earlier[key]

    def check_nothing_else(self) -> None:
        """Make sure that people's lines are untouched, and of ours only what is ours to set."""
        world = self.run.msp.world
        for number, before in self.before.items():
            now = world.additions[number]
            if number in self.hands_off:
                assert now == before, "a line of people was touched"
            as_before = replace(
                now,
                quantity=before.quantity,
                serial_number=before.serial_number,
                cancelled=before.cancelled,
                trace=before.trace,
            )
            assert as_before == before, "something that is not ours was set"
            if before.serial_number:
                assert now.serial_number == before.serial_number
            ended = {None, before.cancelled} | ({DAY_BEFORE} if self.ends else set())
            assert now.cancelled in ended
        new = {world.additions[number].agreement_id for number in world.additions.keys() - self.before.keys()}
        assert new <= {key[0] for key in self.keys.values()}

    def check_outcomes(self, result: Result) -> None:
        """Make sure that what a run calls done is done."""
        for outcome in result.json["outcomes"]:
            if outcome["outcome"] != "done":
                continue
            line = self.run.msp.world.additions[outcome["addition_id"]]
            assert (line.agreement_id, line.item_id) == (outcome["agreement_id"], outcome["item_id"])
            if outcome["kind"] == "end":
                assert line.cancelled == DAY_BEFORE, outcome
            else:
                assert line.quantity == Decimal(outcome["after"]), outcome

    def check_ledger(self, *, finished: bool) -> None:
        """Make sure that the ledger says what ConnectWise says, but for what it calls unclear."""
        additions, changes = self.ledger("additions"), self.ledger("changes")
        world = self.run.msp.world
        unclear = [change for change in changes if change["outcome"] == "unclear"]
        open_keys = {(change["agreement_id"], change["item_id"]) for change in unclear}
        assert not [change for change in changes if change["outcome"] == "sending"]
        if finished:
            assert not [it for it in changes if it["outcome"] == "planned"]
            assert {change["kind"] for change in unclear} <= {"create"}
            known = {row["id"] for row in additions if not row["closed"]}
            for key in open_keys:
                assert [line for line in self.live(key) if line.id in known], "open, and nothing bills it"
        for row in additions:
            key = (row["agreement_id"], row["item_id"])
            if row["closed"] or row["ended"] or (key in open_keys and not finished):
                continue
            line = world.additions[row["id"]]
            assert (line.agreement_id, line.item_id) == key
            assert line.quantity == Decimal(row["quantity"]), row
            assert line.live_on(world.today), row

    def ledger(self, table: str) -> list[dict[str, Any]]:
        """Return a table of the ledger."""
        file = self.run.state / "connector.db"
        if not file.exists():
            return []
        with closing(sqlite3.connect(file)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608


def month(run: Run, *, ends: bool = False, mark: bool = True) -> Books:
    """Bill October, then come to a November that creates, updates, zeroes or ends, adopts and keeps."""
    msp = run.msp
    msp.mappings["defaults"] = {"adopt": "auto", "absent": "end" if ends else "zero", "mark": mark}
    msp.maps("XGS107-MSP", item=FIREWALL)
    run.settings["CONNECTOR_TIMEOUT"] = "0.3"
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    birch = msp.customer("Birch", {"CIXA-MSP": 7, "CEMA-MSP": 4})
    cedar, dogwood = msp.customer("Cedar", {"CIXA-MSP": 3}), msp.customer("Dogwood", {"CEMA-MSP": 9})
    msp.firewall("X1A", "XGS107-MSP", tenant=dogwood.tenant)
    assert run("sync").exit_code == 0

    msp.next_month()
    alder.uses("CIXA-MSP", 15)
    birch.stops("CIXA-MSP")
    birch.uses("CEMA-MSP", Decimal("4.5"))
    cedar.uses("CEMA-MSP", 6)
    dogwood.uses("CIXA-MSP", 8)
    elm = msp.customer("Elm", {"CIXA-MSP": 2})
    dogwood.has(ENDPOINT, 3, invoice_description="As agreed with Mrs. Dogwood", unit_price=Decimal("3.99"))
    books = Books(run, ends=ends)
    books.hands_off = _of_people(msp, alder, cedar, elm)
    quantities: dict[str, tuple[Customer, str, Quantities]] = {
        "update": (alder, ENDPOINT, 15),
        "kept": (alder, EMAIL, 5),
        "stop": (birch, ENDPOINT, None if ends else 0),
        "fraction": (birch, EMAIL, Decimal("4.5")),
        "same": (cedar, ENDPOINT, 3),
        "create": (cedar, EMAIL, 6),
        "adopt": (dogwood, ENDPOINT, 8),
        "untouched": (dogwood, EMAIL, 9),
        "firewall": (dogwood, FIREWALL, 1),
        "create_alone": (elm, ENDPOINT, 2),
    }
    for what, (customer, item, quantity) in quantities.items():
        books.keys[what] = (customer.agreement.id, msp.item(item).id)
        books.customers[what] = customer
        books.wanted[books.keys[what]] = None if quantity is None else Decimal(quantity)
    books.open()
    return books


Quantities = int | Decimal | None


def _of_people(msp: Msp, alder: Customer, cedar: Customer, elm: Customer) -> set[int]:
    """Have lines that people made: another product, one that ended, and one of a company of their own."""
    stranger = msp.world.add_company("Stranger", "Stranger Limited")
    theirs = msp.world.add_agreement(stranger.id, "Managed Security")
    endpoint = msp.item(ENDPOINT)
    return {
        alder.has(BACKUP, 4, invoice_description="Nightly", serial_number="NAS-1").id,
        cedar.has(EMAIL, 2, cancelled=date(2026, 3, 31)).id,
        elm.has(ENDPOINT, 1, cancelled=date(2026, 6, 30), less_included=Decimal(1)).id,
        msp.world.add_addition(theirs.id, endpoint.id, 5, bill_customer="DoNotBill").id,
    }
