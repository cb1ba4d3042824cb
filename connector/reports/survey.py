"""Products, tenants and firewalls as JSON documents and as text; decimals are strings."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.model import Period, Reference
from connector.planning.change import plain
from connector.planning.prices import Money
from connector.planning.states import FirewallState, ProductState, TenantState
from connector.planning.survey import Survey

Document = dict[str, Any]


def products_document(period: Period | None, products: Iterable[ProductState]) -> Document:
    """Return product codes as `connector.products/1`."""
    return {
        "schema": "connector.products/1",
        "period": str(period) if period is not None else None,
        "products": [
            {
                "code": each.code,
                "name": each.name,
                "group": each.group,
                "tenants": each.tenants,
                "quantity": plain(each.quantity),
                "cost": money_document(each.cost),
                "item": each.item,
                "item_id": each.item_id,
                "identifier": each.identifier or None,
                "state": each.state,
                "notes": list(each.notes),
            }
            for each in products
        ],
    }


def tenants_document(
    period: Period | None, tenants: Iterable[TenantState], survey: Survey, results: Mapping[str, Document]
) -> Document:
    """Return tenants as `connector.tenants/1`; `results` are what the last run made of each."""
    return {
        "schema": "connector.tenants/1",
        "period": str(period) if period is not None else None,
        "tenants": [
            {
                "tenant_id": each.id,
                "name": each.name,
                "billing_type": each.billing_type,
                "status": each.status,
                "quantity": plain(each.quantity),
                "cost": money_document(each.cost),
                "company": each.company,
                "company_id": each.company_id,
                "company_name": company_name(survey, each.company_id),
                "agreement": each.agreement,
                "agreement_id": each.agreement_id,
                "agreement_name": agreement_name(survey, each.agreement_id),
                "state": each.state,
                "note": each.note,
                "last_run": results.get(each.id),
            }
            for each in tenants
        ],
    }


def firewalls_document(
    period: Period | None,
    firewalls: Iterable[FirewallState],
    survey: Survey,
    since: Mapping[str, Period],
) -> Document:
    """Return firewalls as `connector.firewalls/1`; `since` is the first month that billed each."""
    return {
        "schema": "connector.firewalls/1",
        "period": str(period) if period is not None else None,
        "firewalls": [_firewall(each, survey, since) for each in firewalls],
    }


def _firewall(state: FirewallState, survey: Survey, since: Mapping[str, Period]) -> Document:
    firewall, key = state.firewall, state.key
    agreement = survey.directory.agreements.get(key.agreement_id) if key is not None else None
    item = survey.directory.items.get(key.item_id) if key is not None else None
    first = since.get(firewall.serial)
    return {
        "serial": firewall.serial,
        "model": firewall.model,
        "owner": firewall.owner,
        "tenant_id": firewall.tenant_id,
        "billing_tenant_id": firewall.billing_tenant_id,
        "counts_for": state.tenant_id,
        "licences": [
            {"product_code": each.product_code, "name": each.name, "type": each.type}
            for each in firewall.licences
        ],
        "last_seen": firewall.last_seen,
        "product_codes": list(state.codes),
        "quantity": plain(state.quantity),
        "cost": money_document(state.cost),
        "unassigned": state.unassigned,
        "agreement_id": key.agreement_id if key is not None else None,
        "agreement": agreement.name if agreement is not None else None,
        "company": company_name(survey, agreement.company_id) if agreement is not None else None,
        "item_id": key.item_id if key is not None else None,
        "item": item.identifier if item is not None else None,
        "billed_since": str(first) if first is not None else None,
        "note": state.note,
    }


def money_document(sums: Iterable[Money]) -> list[Document]:
    """Return sums of money, one for each currency."""
    return [{"amount": plain(money.amount), "currency": money.currency} for money in sums]


def money_text(sums: Iterable[Money]) -> str:
    """Return sums of money as people read them: two places at least, as many as are there."""
    return " + ".join(f"{_amount(money)} {money.currency}".rstrip() for money in sums)


def money_cells(sums: Iterable[Money]) -> tuple[str, str]:
    """Return sums of money for two columns, amount and currency; several currencies share the first."""
    listed = tuple(sums)
    if len(listed) == 1:
        return _amount(listed[0]), listed[0].currency
    return money_text(listed), ""


def _amount(money: Money) -> str:
    text = plain(money.amount)
    whole, _, places = text.partition(".")
    return f"{whole}.{places:0<2}"


def company_name(survey: Survey, company_id: int | None) -> str | None:
    """Return what ConnectWise calls a company."""
    company = survey.directory.companies.get(company_id) if company_id is not None else None
    return (company.name or company.identifier) if company is not None else None


def agreement_name(survey: Survey, agreement_id: int | None) -> str | None:
    """Return what ConnectWise calls an agreement."""
    agreement = survey.directory.agreements.get(agreement_id) if agreement_id is not None else None
    return agreement.name if agreement is not None else None


def reference_text(reference: Reference | None) -> str:
    """Return a reference as mappings.yaml writes it."""
    return "" if reference is None else str(reference)
