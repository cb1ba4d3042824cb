"""An explanation as the JSON document `connector.explanation/1`; decimals are strings."""

import json
from collections.abc import Iterable
from decimal import Decimal

from connector.model import Addition
from connector.planning.change import plain, plain_or_none
from connector.planning.explanation import (
    Event,
    Explanation,
    Fed,
    LineStory,
    MapLine,
    Origin,
    Outlook,
    PlacedRow,
    Unbilled,
)
from connector.reports.document import Document, change_document, unresolved_document
from connector.reports.explanation_answer import answer_of


def explanation_document(explanation: Explanation) -> Document:
    """Return the whole answer."""
    asked = explanation.asked
    return {
        "schema": "connector.explanation/1",
        "asked": {
            "tenant": asked.tenant,
            "product": asked.product,
            "addition": asked.addition,
            "serial": asked.serial,
            "period": str(asked.period) if asked.period is not None else None,
        },
        "subject": explanation.subject,
        "period": str(explanation.origin.period),
        "source": explanation.origin.source,
        "fetched_at": explanation.origin.fetched_at,
        "lines": [_line(line) for line in explanation.lines],
        "unbilled": [_unbilled(entry) for entry in explanation.unbilled],
        "connectwise": {"looked": True} if explanation.looked else None,
        "note": explanation.note or None,
    }


def _line(line: LineStory) -> Document:
    return {
        "addition_id": line.addition_id,
        "agreement_id": line.key.agreement_id,
        "item_id": line.key.item_id,
        "company": line.company,
        "agreement": line.agreement,
        "item": line.item,
        "mark": line.mark or None,
        "ours": line.ours,
        "gone": line.gone,
        "ended": line.ended,
        "answer": answer_of(line),
        "month": str(line.month) if line.month is not None else None,
        "quantity": plain_or_none(line.quantity),
        "connectwise": _there(line.connectwise) if line.connectwise is not None else None,
        "written": plain_or_none(line.written),
        "usage": plain_or_none(line.usage),
        "sum": line.sum,
        "period": str(line.origin.period) if line.origin is not None else None,
        "origin": _origin(line.origin) if line.origin is not None else None,
        "billed": line.billed,
        "adds_up": line.adds_up,
        "made_by": _event(line.maker) if line.maker is not None else None,
        "parts": [_fed(fed) for fed in line.parts],
        "mapping": _map_lines(line.mapping),
        "history": [_event(event) for event in line.history],
        "now": _now(line.now) if line.now is not None else None,
        "notes": list(line.notes),
    }


def _there(line: Addition) -> Document:
    less = max(min(line.less_included, line.quantity), Decimal(0))
    return {
        "quantity": plain(line.quantity),
        "billed": plain(line.quantity - less),
        "less_included": plain(line.less_included),
        "unit_price": plain_or_none(line.unit_price),
        "effective": str(line.effective) if line.effective is not None else None,
        "cancelled": str(line.cancelled) if line.cancelled is not None else None,
        "serial_number": line.serial_number or None,
        "bill_customer": line.bill_customer,
    }


def _origin(origin: Origin) -> Document:
    return {
        "period": str(origin.period),
        "source": origin.source,
        "snapshot": origin.snapshot,
        "fetched_at": origin.fetched_at,
        "file": origin.file,
    }


def _fed(fed: Fed) -> Document:
    return {
        "tenant_id": fed.part.tenant_id,
        "tenant": fed.tenant or None,
        "product_code": fed.part.product_code,
        "quantity": plain(fed.part.quantity),
        "serials": list(fed.part.serials),
        "committed": fed.part.committed,
        "rows": [_row(row) for row in fed.rows],
        "mapping": _map_lines(fed.mapping),
    }


def _row(placed: PlacedRow) -> Document:
    """Return a row as it was received, with our own words for it under names that Sophos does not use."""
    row = placed.row
    said = json.loads(row.received)
    return {
        **{name: value for name, value in said.items() if isinstance(name, str)},
        "row": placed.number,
        "quantity": plain(row.quantity),
        "serial": row.serial,
        "placed_by": placed.placed_by,
        "mapping": _map_lines([placed.mapping] if placed.mapping is not None else []),
    }


def _map_lines(lines: Iterable[MapLine]) -> list[Document]:
    return [
        {"what": line.what, "file": line.file, "line": line.line, "text": line.text, "then": line.then}
        for line in lines
    ]


def _event(event: Event) -> Document:
    return {
        "period": str(event.period),
        "run": event.run,
        "kind": event.kind,
        "before": plain_or_none(event.before),
        "after": plain_or_none(event.after),
        "outcome": event.outcome,
        "held": event.held,
        "who": event.who,
        "version": event.version,
        "at": event.at,
        "digest": event.digest,
        "source": event.source,
        "because": event.because,
        "message": event.message,
        "request_id": event.request_id,
        "undoes": event.undoes,
        "month": str(event.month),
    }


def _now(now: Outlook) -> Document:
    return {
        "usage_of": _origin(now.origin),
        "change": change_document(now.change) if now.change is not None else None,
        "unresolved": [unresolved_document(entry) for entry in now.unresolved],
        "warnings": [{"code": each.code, "message": each.message} for each in now.warnings],
        "next": now.next or None,
        "advice": now.advice or None,
    }


def _unbilled(entry: Unbilled) -> Document:
    return {
        "code": entry.code,
        "tenant_id": entry.tenant_id,
        "tenant": entry.tenant or None,
        "product_code": entry.product_code,
        "serial": entry.serial,
        "quantity": plain_or_none(entry.quantity),
        "message": entry.message,
        "next": entry.next,
        "still_billed_by": entry.still,
        "rows": [_row(row) for row in entry.rows],
        "mapping": _map_lines(entry.mapping),
    }
