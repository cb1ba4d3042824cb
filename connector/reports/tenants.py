"""Tenants, companies and agreements for people: order, advice and cells; and as JSON documents."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connector.model import Agreement, Company, Period
from connector.planning.change import plain
from connector.planning.customers import Customers
from connector.planning.states import TenantState
from connector.planning.survey import Survey
from connector.reports.survey import (
    agreement_name,
    company_name,
    money_cells,
    reference_text,
    tenants_document,
)

Document = dict[str, Any]

FAILED = frozenset({"failed", "unclear", "unresolved", "held"})
_OF_THE_MAP = ("UNMAPPED_TENANT:", "COMPANY_", "AGREEMENT_")


def has_failed(state: TenantState, result: Mapping[str, Any] | None) -> bool:
    """Whether a person has to look: the last run did not bill all of it, or the map is at fault now."""
    return state.state == "fault" or (result is not None and result["outcome"] in FAILED)


def by_need(states: Iterable[TenantState]) -> list[TenantState]:
    """Return tenants as people go through them: new ones with usage by cost, faults, then all by name."""
    return sorted(states, key=_need)


def advice(state: TenantState, result: Mapping[str, Any] | None, customers: Customers) -> str:
    """Return what to do about a tenant: what its map says now goes before what the last run said."""
    if state.state == "fault":
        return state.note
    if state.state == "new":
        return f"map it: {customers.map_command(state.id)}" if state.quantity else ""
    if result is None:
        return ""
    if result["outcome"] == "unresolved" and str(result["message"]).startswith(_OF_THE_MAP):
        return "mappings.yaml has been changed since; see: connector plan"
    return str(result["advice"])


def tenant_cells(
    state: TenantState, survey: Survey, result: Mapping[str, Any] | None, customers: Customers
) -> tuple[str, ...]:
    """Return a tenant's row: id, name, type, status, usage, cost, where it is billed, and its last result."""
    return (
        state.id,
        state.name,
        state.billing_type,
        state.status,
        plain(state.quantity),
        *money_cells(state.cost),
        company_name(survey, state.company_id) or reference_text(state.company),
        agreement_name(survey, state.agreement_id) or reference_text(state.agreement),
        state.state,
        result["outcome"] if result is not None else "",
        result["message"] if result is not None else "",
        advice(state, result, customers),
    )


def tenant_list(
    period: Period | None,
    states: Iterable[TenantState],
    survey: Survey,
    results: Mapping[str, Document],
    customers: Customers,
) -> Document:
    """Return tenants as `connector.tenants/1`, each with its advice."""
    shown = list(states)
    document = tenants_document(period, shown, survey, results)
    for state, entry in zip(shown, document["tenants"], strict=True):
        entry["advice"] = advice(state, results.get(state.id), customers)
    return document


def companies_document(companies: Iterable[Company], found: int, customers: Customers) -> Document:
    """Return companies as `connector.companies/1`; `found` counts those that are not shown, too."""
    return {
        "schema": "connector.companies/1",
        "found": found,
        "companies": [
            company_document(each) | {"active_agreements": len(customers.active(each))} for each in companies
        ],
    }


def agreements_document(company: Company, customers: Customers) -> Document:
    """Return a company's agreements as `connector.agreements/1`."""
    return {
        "schema": "connector.agreements/1",
        "company": company_document(company),
        "agreements": [
            {
                "id": each.id,
                "name": each.name,
                "type": each.type,
                "status": each.status,
                "start": _day_or_none(each.start),
                "end": _day_or_none(each.end),
                "next_invoice": _day_or_none(each.next_invoice),
                "usable": customers.inactive(each) is None,
                "why_not": customers.inactive(each),
            }
            for each in customers.agreements(company)
        ],
    }


def company_document(company: Company) -> Document:
    """Return what people know a company by."""
    return {
        "id": company.id,
        "identifier": company.identifier,
        "name": company.name,
        "status": company.status,
    }


def agreement_cells(agreement: Agreement, customers: Customers) -> tuple[str, ...]:
    """Return an agreement's row: id, name, type, status, dates, and whether it may be mapped to."""
    why = customers.inactive(agreement)
    return (
        str(agreement.id),
        agreement.name,
        agreement.type,
        agreement.status,
        *(_day_or_none(day) or "" for day in (agreement.start, agreement.end, agreement.next_invoice)),
        "yes" if why is None else f"no: it {why}",
    )


def _day_or_none(day: date | None) -> str | None:
    return None if day is None else str(day)


def _need(state: TenantState) -> tuple[int, Decimal, str, str]:
    dearest = max((money.amount for money in state.cost), default=Decimal(0))
    if state.state == "new" and state.quantity:
        return 0, -dearest, state.name.casefold(), state.id
    return (1 if state.state == "fault" else 2), Decimal(0), state.name.casefold(), state.id
