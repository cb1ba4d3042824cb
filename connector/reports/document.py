"""Plans, runs and errors as the JSON documents of contract section 6; decimals are strings."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from connector.errors import ConnectorError, MappingsFault
from connector.planning.change import Change, Plan, plain, plain_or_none
from connector.planning.findings import Objection, Part, Unresolved, Warn
from connector.reports.outcome import Run
from connector.reports.prices import change_money, money_document

Document = dict[str, Any]

_PIECES = 10_000


def json_text(document: Mapping[str, Any]) -> str:
    """Write a document as one line-broken JSON text; control characters come out escaped."""
    # json.dumps holds every bracket and name apart until the end: ten times the text.
    pieces = json.JSONEncoder(indent=1, ensure_ascii=True).iterencode(document)
    return "".join(iter(lambda: "".join(islice(pieces, _PIECES)), ""))


def plan_document(plan: Plan) -> Document:
    """Return a plan as `connector.plan/1`."""
    return {
        "schema": "connector.plan/1",
        "period": str(plan.period),
        "digest": plan.digest,
        "source": plan.source,
        "coverage": {
            "rows": plan.coverage.rows,
            "billed": plan.coverage.billed,
            "off": plan.coverage.off,
            "unresolved": plan.coverage.unresolved,
        },
        "changes": [change_document(change) for change in plan.changes],
        **_findings(plan.unresolved, plan.warnings, plan.objections),
        "unchanged": len(plan.unchanged),
        "money": [money_document(each) for each in plan.money],
        "exit_code": plan.exit_code,
    }


def run_document(run: Run) -> Document:
    """Return a finished run as `connector.run/1`."""
    return {
        "schema": "connector.run/1",
        "run": run.number,
        "period": str(run.plan.period),
        "digest": run.digest,
        "exit_code": run.exit_code,
        "outcomes": [
            {
                "kind": result.change.kind,
                "agreement_id": result.change.key.agreement_id,
                "item_id": result.change.key.item_id,
                "addition_id": result.addition_id,
                "before": plain_or_none(result.change.before),
                "after": plain(result.change.after),
                "outcome": result.outcome,
                "message": result.message,
                "held": result.change.held,
                "item": result.change.item,
                "company": result.change.company,
                "because": result.change.because,
                **change_money(result.change),
            }
            for result in run.results
        ],
        **_findings(run.plan.unresolved, run.plan.warnings, run.plan.objections),
        "unchanged": len(run.plan.unchanged),
    }


def error_document(error: ConnectorError) -> Document:
    """Return an error as `connector.error/1`."""
    said: Document = {"code": error.code, "message": error.message, "next": error.next_step}
    if isinstance(error, MappingsFault):
        said["faults"] = [
            {"line": fault.line, "column": fault.column, "message": fault.message} for fault in error.faults
        ]
    return {"schema": "connector.error/1", "error": said, "exit_code": error.exit_code}


def change_document(change: Change) -> Document:
    """Return one planned change."""
    return {
        "kind": change.kind,
        "agreement_id": change.key.agreement_id,
        "item_id": change.key.item_id,
        "item": change.item,
        "company": change.company,
        "agreement": change.agreement,
        "addition_id": change.addition_id,
        "before": plain_or_none(change.before),
        "after": plain(change.after),
        "effective": str(change.effective) if change.effective else None,
        "held": change.held,
        "from": [_part(part) for part in change.parts],
        "was": [_part(part) for part in change.was],
        "because": change.because,
        "less_included": plain(change.included),
        **change_money(change),
    }


def _part(part: Part) -> Document:
    return {
        "tenant_id": part.tenant_id,
        "product_code": part.product_code,
        "quantity": plain(part.quantity),
        "serials": list(part.serials),
    }


def _findings(
    unresolved: Iterable[Unresolved], warnings: Iterable[Warn], guards: Iterable[Objection]
) -> Document:
    return {
        "unresolved": [unresolved_document(entry) for entry in unresolved],
        "warnings": [{"code": warning.code, "message": warning.message} for warning in warnings],
        "guards": [{"name": guard.name, "message": guard.message} for guard in guards],
    }


def unresolved_document(entry: Unresolved) -> Document:
    """Return what is billed to nobody, and why."""
    return {
        "code": entry.code,
        "tenant_id": entry.tenant_id,
        "product_code": entry.product_code,
        "serial": entry.serial,
        "quantity": plain(entry.quantity),
        "message": entry.message,
        "next": entry.next_step,
        "billed": entry.billed,
        "agreement_id": entry.key.agreement_id if entry.key else None,
        "item_id": entry.key.item_id if entry.key else None,
    }
