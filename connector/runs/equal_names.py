"""Tenants that are new, and the one company of an equal name: what `--accept-exact` may map, and what not."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from connector.mappings.customer_names import equal_names, exact_pairs, normalised
from connector.model import Agreement, Company, Tenant
from connector.planning.customers import Customers, agreement_label, company_label, listed
from connector.planning.states import TenantState


@dataclass(frozen=True, slots=True)
class Pair:
    """A tenant and a company of equal names, with the company's only active agreement."""

    tenant: TenantState
    company: Company
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Passed:
    """A new tenant that a person has to map, why, and the command that does it."""

    tenant: TenantState
    reason: str
    command: str


def equal_pairs(
    states: tuple[TenantState, ...], customers: Customers
) -> tuple[tuple[Pair, ...], tuple[Passed, ...]]:
    """Return the new tenants that can be mapped by equal names alone, and the others."""
    companies = customers.directory.companies.values()
    found = {
        tenant.id: company
        for tenant, company in exact_pairs([Tenant(each.id, each.name) for each in states], companies)
    }
    billed: dict[int, TenantState] = {}
    for each in states:
        if each.company_id is not None:
            billed.setdefault(each.company_id, each)
    near = _Near(states, customers)
    pairs: list[Pair] = []
    passed: list[Passed] = []
    for tenant in states:
        if tenant.state != "new":
            continue
        company = found.get(tenant.id)
        agreements = customers.active(company) if company is not None else ()
        reason = _half_mapped(tenant) or (
            near.why_no_pair(tenant) if company is None else _why_not(company, agreements, billed)
        )
        if company is not None and not reason:
            pairs.append(Pair(tenant, company, agreements[0]))
        else:
            passed.append(Passed(tenant, reason, customers.map_command(tenant.id, company)))
    return tuple(pairs), tuple(passed)


def _half_mapped(tenant: TenantState) -> str:
    said = [
        f"{word} {value!r}"
        for word, value in (("company", tenant.company), ("agreement", tenant.agreement))
        if value is not None
    ]
    return f"mappings.yaml says {' and '.join(said)} already, and no more" if said else ""


def _why_not(company: Company, agreements: tuple[Agreement, ...], billed: Mapping[int, TenantState]) -> str:
    if company.id in billed:
        return f"{company.identifier} is mapped to {billed[company.id].label} already"
    if not agreements:
        return f"{company.identifier} has no active agreement"
    if len(agreements) > 1:
        return (
            f"{company.identifier} has several active agreements: {listed(map(agreement_label, agreements))}"
        )
    return ""


class _Near:
    """Says why a tenant has no company of an equal name to itself."""

    def __init__(self, states: tuple[TenantState, ...], customers: Customers) -> None:
        self._tenants: dict[str, list[TenantState]] = defaultdict(list)
        self._companies: dict[str, list[Company]] = defaultdict(list)
        for state in states:
            self._tenants[normalised(state.name)].append(state)
        for company in customers.directory.companies.values():
            if not company.deleted:
                self._companies[normalised(company.name)].append(company)

    def why_no_pair(self, tenant: TenantState) -> str:
        if not equal_names(tenant.name, tenant.name):
            return "it has no name"
        name = normalised(tenant.name)
        companies = self._companies[name]
        if not companies:
            return "no company has an equal name"
        if len(companies) > 1:
            return f"several companies have an equal name: {listed(map(company_label, companies))}"
        others = [each.label for each in self._tenants[name] if each.id != tenant.id]
        return f"tenants of an equal name: {listed(others)}"
