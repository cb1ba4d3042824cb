"""Sophos's billing usage of a month: rows written out and pages by key (reference/sophos-api.md, 3)."""

import base64
import calendar
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import Response, request

from .sophos_answers import (
    BadParameterError,
    only_fields,
    page_size,
    sophos_error,
    sophos_json,
    totals,
)
from .sophos_records import LEFT_OUT, Period, UsageRow
from .sophos_state import invoice_text
from .world import World

OrderLines = dict[str, tuple[int, Decimal]]


class Billing:
    """Answers the billing route over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._order_lines: dict[Period, OrderLines] = {}

    def usage(self, year: str, month: str) -> Response:
        """Answer one page of a month; 404 until Sophos has published it (section 3.6)."""
        if not (re.fullmatch(r"[0-9]{4}", year) and re.fullmatch(r"0?[1-9]|1[0-2]", month)):
            raise BadParameterError("month")
        period = (int(year), int(month))
        if not self.world.is_published(period):
            return sophos_error(self.world, 404, "No billing data")
        largest = self.world.largest_billing_page
        size = page_size(self.world, 50, largest)
        rows = self._filtered(self.world.usage.get(period, []))
        key = request.args.get("pageFromKey")
        start = _position(key, rows) if key else 0
        if not key or period not in self._order_lines:
            # One look at the whole month for all of its pages: a million rows are read page by page.
            self._order_lines[period] = self.world.order_lines(period)
        items = [self._written(period, row) for row in rows[start : start + size]]
        if rows:
            # Not part of the answer: a fault that repeats a key has to know the key of page one.
            request.environ.get("simulator.notes", {})["from_key"] = key or _key(rows[0], 0)
        pages: dict[str, Any] = {"fromKey": key} if key else {}
        if start + size < len(rows):
            pages["nextKey"] = _key(rows[start + size], start + size)
        pages |= {"size": size, **totals(len(rows), size), "maxSize": largest}
        return sophos_json({"items": items, "pages": pages})

    def _filtered(self, rows: Sequence[UsageRow]) -> Sequence[UsageRow]:
        """Apply `accountId` and `contactEmail`; anything else in the query is ignored (section 3.7)."""
        accounts, emails = request.args.get("accountId"), request.args.get("contactEmail")
        if accounts:
            wanted = {account.strip() for account in accounts.split(",")}
            rows = [row for row in rows if row.account_id in wanted]
        if emails:
            addresses = {email.strip().casefold() for email in emails.split(",")}
            rows = [row for row in rows if row.contact and row.contact.email.casefold() in addresses]
        return rows

    def _written(self, period: Period, row: UsageRow) -> dict[str, Any]:
        """Write out one row; money as text, `netPrice` of the whole order line (sections 3.4 and 3.7)."""
        year, month = period
        product = row.product
        units, net = self._order_lines[period].get(row.order_line, (row.quantity, Decimal(0)))
        record: dict[str, Any] = {
            "partnerAccountId": self.world.partner_id,
            "partnerEdiAccountNumber": "1009900",
            "partnerAccountName": self.world.partner_name,
            "billingStartDate": f"{year}-{month:02}-01",
            "billingEndDate": f"{year}-{month:02}-{calendar.monthrange(year, month)[1]}",
            "orderNumber": f"OrderID-{year % 100:02}{month:02}00",
            "orderLineItemNumber": row.order_line,
            "accountNumberOrSerialNumber": row.serial_or_account,
            "productDescription": row.description or invoice_text(product, units),
            "productGroup": product.group,
            "sku": product.sku,
            "billableQuantity": row.quantity,
            "actualQuantity": row.actual,
            "orderedQuantity": row.quantity,
            "productCode": product.code,
            "accountId": row.account_id,
            "externalId": row.external_id,
            "accountStatus": row.status,
            "assignedAccountIdentifier": row.customer,
        }
        record = {name: value for name, value in record.items() if value is not None}
        if row.contact:
            record |= {
                "contactName": f"{row.contact.first_name} {row.contact.last_name}",
                "contactEmail": row.contact.email,
                "contactStreet": row.contact.street,
                "contactCity": row.contact.city,
                "contactCountry": row.contact.country,
                "contactZip": row.contact.postal_code,
            }
        for name, amount in (
            ("unitMsrp", product.unit_msrp),
            ("unitPrice", product.unit_price),
            ("netPrice", net),
            ("priceWithTaxes", net),
        ):
            record |= {f"{name}Currency": "USD", name: f"{amount:.2f}"}
        record |= {"additionalDiscountPercentage": 30, "distributorAccountName": "Example Distribution Inc."}
        record = {k: v for k, v in (record | row.wire).items() if v is not LEFT_OUT}
        return only_fields(record)


def _key(row: UsageRow, position: int) -> str:
    """Make the opaque key of a page's first row; the position only saves a search."""
    return base64.urlsafe_b64encode(json.dumps({"k": row.key, "at": position}).encode()).decode()


def _position(key: str, rows: Sequence[UsageRow]) -> int:
    """Find the row a key stands for."""
    try:
        said = json.loads(base64.urlsafe_b64decode(key))
        wanted, guess = said["k"], said["at"]
    except (ValueError, KeyError, TypeError):
        raise BadParameterError("pageFromKey") from None
    if 0 <= guess < len(rows) and rows[guess].key == wanted:
        return int(guess)
    for position, row in enumerate(rows):
        if row.key == wanted:
            return position
    raise BadParameterError("pageFromKey")
