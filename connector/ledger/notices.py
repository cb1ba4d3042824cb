"""What people were told of each cause, and which ticket of ConnectWise is about it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connector.ledger.standing import STANDING, back
from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.causes.cause import Cause
from connector.planning.causes.charges import UNKNOWN, Charge
from connector.planning.causes.news import Told
from connector.planning.change import plain
from connector.planning.prices import Money
from connector.planning.sources import LIVE


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """A ticket that is open as far as we know, and what it says; `number` is ConnectWise's id.

    It is `settled` once its cause is gone, and `noted` once a note on it says so; `farewell` is what that
    says, where it is not as usual.
    """

    told: Told
    number: int
    settled: bool = False
    noted: bool = False
    farewell: str = ""


def finished_months(ledger: Ledger) -> frozenset[Period]:
    """Return the months whose newest run over all tenants left nothing to do."""
    runs = ledger.query(
        "SELECT runs.period, runs.exit_code FROM runs JOIN plans USING (digest) "  # noqa: S608
        f"WHERE {STANDING} AND runs.period IS NOT NULL AND runs.usage IS NOT NULL "
        f"AND runs.source != '{LIVE}' AND json_extract(plans.options, '$.tenant') IS NULL "
        "AND json_extract(plans.options, '$.product') IS NULL "
        "AND json_extract(plans.options, '$.only') IS NULL ORDER BY runs.id",
        back(ledger),
    )
    newest = {row["period"]: row["exit_code"] for row in runs}
    return frozenset(Period.parse(period) for period, code in newest.items() if code == 0)


def told_causes(ledger: Ledger) -> dict[str, Told]:
    """Return what people know of and is not settled, by the cause's id."""
    rows = ledger.query("SELECT * FROM told WHERE settled_at IS NULL ORDER BY id")
    return {
        row["id"]: replace(_told(row), message=row["message"], charge=_charge(row["charge"])) for row in rows
    }


def settled_causes(ledger: Ledger) -> tuple[Told, ...]:
    """Return what is gone and nobody has been told so, what was settled first, first."""
    rows = ledger.query("SELECT * FROM told WHERE settled_at IS NOT NULL ORDER BY settled_at, id")
    return tuple(map(_told, rows))


def record_settled(ledger: Ledger, gone: Iterable[Told]) -> None:
    """Keep that causes are gone until a message says so."""
    with ledger.transaction() as db:
        for each in gone:
            db.execute("UPDATE told SET settled_at = ? WHERE id = ?", (ledger.stamp(), each.id))


def record_told(ledger: Ledger, causes: Iterable[Cause], settled: Iterable[Told]) -> None:
    """Keep what a message has told, and forget what it called settled."""
    with ledger.transaction() as db:
        for each in settled:
            db.execute("DELETE FROM told WHERE id = ? AND settled_at IS NOT NULL", (each.id,))
        for cause in causes:
            db.execute(
                "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
                (*_values(cause), ledger.stamp(), cause.message, _charge_text(cause.charge)),
            )


def forget_told(ledger: Ledger, causes: Iterable[Told]) -> None:
    """Forget what nobody has to be told of any more."""
    with ledger.transaction() as db:
        for each in causes:
            db.execute("DELETE FROM told WHERE id = ?", (each.id,))


# Tickets -----------------------------------------------------------------------------------------


def known_tickets(ledger: Ledger) -> dict[str, KnownTicket]:
    """Return the tickets that were open when we last looked, by the cause's id."""
    rows = ledger.query("SELECT * FROM tickets ORDER BY id")
    return {
        row["id"]: KnownTicket(
            _told(row), row["ticket"], row["settled_at"] is not None, bool(row["noted"]), row["farewell"]
        )
        for row in rows
    }


def record_ticket(ledger: Ledger, cause: Cause, number: int) -> None:
    """Keep that a ticket is about a cause, and says what is known of it now."""
    with ledger.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, '')",
            (*_values(cause), number, ledger.stamp()),
        )


def record_ticket_settled(ledger: Ledger, farewells: Mapping[str, str]) -> None:
    """Keep that the causes of tickets are gone, by id, so that they are closed although tonight it may fail.

    Beside each stands what its ticket is closed with; "" is as usual.
    """
    with ledger.transaction() as db:
        for cause_id, farewell in farewells.items():
            db.execute(
                "UPDATE tickets SET settled_at = ?, farewell = ? WHERE id = ?",
                (ledger.stamp(), farewell, cause_id),
            )


def record_ticket_noted(ledger: Ledger, cause_id: str) -> None:
    """Keep that a note on the ticket says that its cause is gone."""
    with ledger.transaction() as db:
        db.execute("UPDATE tickets SET noted = 1 WHERE id = ?", (cause_id,))


def forget_ticket(ledger: Ledger, cause_id: str) -> None:
    """Forget a ticket that is closed or gone."""
    with ledger.transaction() as db:
        db.execute("DELETE FROM tickets WHERE id = ?", (cause_id,))


def installation_name(ledger: Ledger, proposed: str) -> str:
    """Return what this state folder is called in tickets: the first name that it was ever given."""
    with ledger.transaction() as db:
        db.execute(
            "INSERT INTO installation SELECT ? WHERE NOT EXISTS (SELECT 1 FROM installation)", (proposed,)
        )
    return str(ledger.query("SELECT name FROM installation")[0]["name"])


def _told(row: Mapping[str, Any]) -> Told:
    return Told(
        id=row["id"],
        code=row["code"],
        label=row["label"],
        fingerprint=row["fingerprint"],
        seen=row["seen"],
        period=Period.parse(row["period"]) if row["period"] else None,
        source=row["source"],
    )


def _charge_text(charge: Charge) -> str:
    money = [[plain(each.amount), each.currency] for each in charge.money]
    return json.dumps({"money": money, "whole": charge.whole})


def _charge(text: str) -> Charge:
    if not text:  # told before it was kept
        return UNKNOWN
    kept = json.loads(text)
    money = (Money(Decimal(amount), currency) for amount, currency in kept["money"])
    return Charge(tuple(money), whole=kept["whole"])


def _values(cause: Cause) -> tuple[str | None, ...]:
    period = str(cause.period) if cause.period is not None else None
    return cause.id, cause.code, cause.label, cause.fingerprint, cause.seen, period, cause.source
