"""Asks which company and agreement a tenant is; where nobody answers, the candidates are in the error."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.model import Agreement, Company
    from connector.planning.customers import Customers
    from connector.planning.states import TenantState

_MOST_COMMANDS = 8


def ask_company(tenant: "TenantState", customers: "Customers") -> "Company":
    """Let a person choose the company; raises CommandFault with the candidates where nobody does."""
    from connector.cli.asking import choose
    from connector.errors import CommandFault
    from connector.mappings.suggest import companies_for
    from connector.planning.customers import UNCHANGED, company_label

    hits = companies_for(tenant.name, customers.directory.companies.values())
    options = [f"{company_label(hit.record)}: {hit.reason}" for hit in hits]
    chosen = choose(f"Which company is {one_line(tenant.label)}?", options)
    if chosen is not None:
        return hits[chosen].record
    told = "".join(f"\n  {option}" for option in options)
    look = "connector tenants search TEXT"
    near = f" Candidates:{told}\n" if told else " No company has a name like it. "
    raise CommandFault(
        f"No company was named or chosen for {one_line(tenant.label)}.{near}{UNCHANGED}",
        f"{customers.map_command(tenant.id, hits[0].record)}\nor look for another one: {look}"
        if hits
        else f"Look for it: {look}\nthen: {customers.map_command(tenant.id)} COMPANY AGREEMENT",
    )


def ask_agreement(tenant: "TenantState", company: "Company", customers: "Customers") -> "Agreement":
    """Let a person choose, or confirm, the agreement; raises CommandFault where nobody does."""
    from connector.cli.asking import choose
    from connector.errors import CommandFault
    from connector.mappings.suggest import agreements_for
    from connector.planning.customers import UNCHANGED, agreement_label, company_label

    active = customers.active(company)
    if not active:
        ended = [
            f"{agreement_label(each)} {customers.inactive(each)}" for each in customers.agreements(company)
        ]
        why = f": {'; '.join(ended)}" if ended else ""
        raise CommandFault(
            f"{company_label(company)} has no active agreement{why}. {UNCHANGED}",
            "Make or renew one in ConnectWise, or name another company.",
        )
    hits = agreements_for(tenant.name, active, customers.directory.today)
    options = [f"{agreement_label(hit.record)}: {hit.reason}" for hit in hits]
    chosen = choose(
        f"Which agreement of {company_label(company)} bills {one_line(tenant.label)}?",
        options,
        default=0 if len(hits) == 1 else None,
    )
    if chosen is not None:
        return hits[chosen].record
    told = "".join(f"\n  {option}" for option in options)
    raise CommandFault(
        f"No agreement of {company_label(company)} was named or chosen. Candidates:{told}\n{UNCHANGED}",
        "\n".join(customers.map_command(tenant.id, company, hit.record) for hit in hits[:_MOST_COMMANDS]),
    )


def one_line(text: str) -> str:
    """Return a vendor's text without its line breaks."""
    return " ".join(text.split())
