"""The newest month as a run stored it, for commands that need not ask Sophos again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.ledger.store import Ledger
from connector.model import Firewall, Period, Tenant, UsageRow


@dataclass(frozen=True, slots=True)
class StoredMonth:
    """What Sophos said of a month, and the tenants and firewalls that it listed then.

    A firewall's owner and licences are not stored.
    """

    period: Period
    rows: tuple[UsageRow, ...]
    tenants: tuple[Tenant, ...]
    firewalls: tuple[Firewall, ...]


def newest_month(ledger: Ledger) -> StoredMonth | None:
    """Return the newest month that any run has stored, as it was read last."""
    found = ledger.query(
        "SELECT id, period FROM usage WHERE source = 'sophos-api' AND pruned_at IS NULL "
        "ORDER BY period DESC, id DESC LIMIT 1"
    )
    if not found:
        return None
    rows = ledger.query("SELECT * FROM usage_rows WHERE usage = ? ORDER BY number", found[0]["id"])
    return StoredMonth(
        Period.parse(found[0]["period"]),
        tuple(usage_row_of(row) for row in rows),
        *listed_last(ledger),
    )


def listed_last(ledger: Ledger) -> tuple[tuple[Tenant, ...], tuple[Firewall, ...]]:
    """Return the tenants and firewalls that Sophos listed when a run last asked it."""
    newest = "last_seen = (SELECT max(last_seen) FROM tenants)"
    return (
        tuple(
            Tenant(row["id"], row["name"], row["billing_type"], row["status"])
            for row in ledger.query(f"SELECT * FROM tenants WHERE {newest} ORDER BY id")  # noqa: S608
        ),
        tuple(
            Firewall(
                row["serial"], row["model"], row["tenant_id"], row["billing_tenant_id"], row["last_contact"]
            )
            for row in ledger.query(f"SELECT * FROM firewalls WHERE {newest} ORDER BY serial")  # noqa: S608
        ),
    )


def usage_row_of(row: Mapping[str, str | None]) -> UsageRow:
    """Return a row of usage as it was stored."""
    received = row["received"] or "{}"
    said = json.loads(received)
    return UsageRow(
        product_code=row["product_code"] or "",
        quantity=Decimal(row["quantity"] or 0),
        account_id=row["account_id"],
        external_id=row["external_id"],
        serial=row["serial"],
        description=shown(said.get("productDescription")),
        group=shown(said.get("productGroup")),
        received=received,
    )


def shown(text: object) -> str:
    """Return text for people as it was when it came in: what cannot be seen is a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text or "")).strip()
