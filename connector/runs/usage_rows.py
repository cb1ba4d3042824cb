"""Rates the rows of a consumption file: ready, off, or failed with a reason; and checks the totals."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from connector.consumption import FileRow, totals_off
from connector.ledger.imports import FailedRow
from connector.model import ImportColumn, Mappings, Period, UsageRow, serial_of
from connector.planning.change import plain
from connector.planning.resolve import Off, item_for
from connector.runs.usage_names import Names, Unknown
from connector.runs.usage_outcome import SINCE, Taken

_PRICES: tuple[tuple[ImportColumn, str], ...] = (("price", "unitPrice"), ("msrp", "unitMsrp"))


class Rater:
    """Says of each row whether it can be billed, and whose it is."""

    def __init__(self, mappings: Mappings, names: Names, month: Period, *, mended: bool = False) -> None:
        self._mappings = mappings
        self._names = names
        self._month = month
        self._mended = mended

    def taken(self, row: FileRow) -> Taken:
        """Return what becomes of a row that is no total."""
        faults = list(row.faults)
        if row.month is not None and row.month != self._month:
            faults.insert(0, f"it bills {row.month}, not {self._month}")
        code = self._names.product_code(row.text("code"), row.text("sku"), row.text("product"))
        known = None if isinstance(code, Unknown) else code
        if faults:
            fault = Unknown("IMPORT_FAILED", "; ".join(faults), "mend the cells that are named")
            return _failed(row, fault, known)
        tenant = self._tenant(row)
        for unknown in (tenant, code):
            if isinstance(unknown, Unknown):
                return _failed(row, unknown, known)
        usage = self._usage(row, str(code), None if tenant is None else str(tenant))
        return Taken(row.number, "off" if self._off(usage) else "ready", usage)

    def _tenant(self, row: FileRow) -> str | Unknown | None:
        """Return whose a row is; None leaves it to the serial number, as contract rule 4 does."""
        if not row.text("tenant_id") and self._names.knows_device(row.text("serial")):
            return None  # names never decide: what the file calls its customer may be out of date
        if row.text("customer") or row.text("tenant_id"):
            return self._names.tenant(row.text("customer"), row.text("tenant_id"))
        if row.text("serial"):
            return None
        return Unknown("IMPORT_FAILED", "no end user identifier and no serial number", "say whose it is")

    def _off(self, usage: UsageRow) -> bool:
        tenant_id = self._names.finder.tenant_of(usage)
        entry = self._mappings.tenants.get(tenant_id) if tenant_id is not None else None
        if entry is not None and not entry.sync:
            return True
        return isinstance(item_for(self._mappings, entry, usage.product_code), Off)

    def _usage(self, row: FileRow, code: str, tenant_id: str | None) -> UsageRow:
        """Return a row as Sophos would have sent it: `received` has the names of its API."""
        assert row.quantity is not None and row.start is not None and row.end is not None  # noqa: S101, PT018
        seen = self._names.seen.get(code)
        group = row.text("group") or (seen.group if seen is not None else "")
        serial = serial_of(row.text("serial"))
        said: dict[str, str | bool] = {
            "accountId": tenant_id or "",
            "accountNumberOrSerialNumber": row.text("serial"),
            "assignedAccountIdentifier": row.text("customer"),
            "billableQuantity": plain(row.quantity),
            "billingEndDate": row.end.isoformat(),
            "billingStartDate": row.start.isoformat(),
            "productCode": code,
            "productDescription": row.text("product"),
            "productGroup": group,
            "sku": row.text("sku"),
        }
        for column, name in _PRICES:
            if column in row.prices:
                amount, currency = row.prices[column]
                said |= {name: plain(amount), f"{name}Currency": currency}
        if self._mended:
            said["mended"] = True
        kept = {name: value for name, value in said.items() if value != ""}
        return UsageRow(
            product_code=code,
            quantity=row.quantity,
            account_id=tenant_id,
            serial=serial or None,
            description=row.text("product"),
            group=group,
            received=json.dumps(kept, separators=(",", ":"), sort_keys=True),
        )


def _failed(row: FileRow, unknown: Unknown, product_code: str | None) -> Taken:
    failed = FailedRow(
        row.number,
        unknown.code,
        unknown.message,
        row.text("customer"),
        product_code,
        row.quantity,
        json.dumps(row.cells()),
    )
    return Taken(row.number, "failed", None, failed, unknown.next_step, unknown.candidates)


def quantities_of(taken: Iterable[Taken]) -> dict[int, Decimal | None]:
    """Return the quantity of each row, None where it cannot be read."""
    return {
        each.number: each.usage.quantity
        if each.usage is not None
        else each.failed.quantity
        if each.failed
        else None
        for each in taken
    }


def rated_totals(
    rows: Iterable[FileRow], quantities: Mapping[int, Decimal | None], earlier: Mapping[int, FailedRow]
) -> list[Taken]:
    """Return the totals that do not add up, as failed rows that say since which row they should."""
    found: list[Taken] = []
    since = 0
    listed = sorted(quantities.items())
    for row in rows:
        if not row.total:
            continue
        if row.number in earlier:
            since = int(json.loads(earlier[row.number].received)[SINCE])
        if row.quantity is None:
            why = "; ".join(row.faults)
        else:
            why = totals_off(listed, row.number, since, row.quantity)
        if why:
            cells = {**row.cells(), SINCE: str(since)}
            failed = FailedRow(
                row.number, "IMPORT_FAILED", why, row.text("customer"), None, row.quantity, json.dumps(cells)
            )
            found.append(Taken(row.number, "failed", None, failed, "find the row that is missing or wrong"))
        since = row.number
    return found
