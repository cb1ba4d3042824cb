"""`tenants map --accept-exact`: lists every pair of equal names first, and maps them all in one write."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connector.cli.asking import can_ask, confirm
from connector.cli.desk import at_desk
from connector.cli.edits import carry_out
from connector.cli.invocation import Invocation
from connector.cli.terminal import answer

if TYPE_CHECKING:
    from connector.mappings.edit import Edit
    from connector.runs.equal_names import Pair, Passed


def accept_exact(called: Invocation, *, dry_run: bool, yes: bool) -> None:
    """Map every new tenant that one company of an equal name, with one active agreement, stands for."""
    from connector.errors import CommandFault
    from connector.planning.customers import UNCHANGED, Customers
    from connector.runs.equal_names import equal_pairs
    from connector.runs.tenant_edits import map_edits, written

    with at_desk(called, create=True) as desk:
        survey = desk.look().survey
    customers = Customers(survey.directory)
    pairs, passed = equal_pairs(survey.tenant_states(), customers)
    if not called.json:
        _show(pairs, passed)
    counted = "1 pair" if len(pairs) == 1 else f"{len(pairs)} pairs"
    asks = bool(pairs) and not dry_run and not yes and not called.json and can_ask() and sys.stdout.isatty()
    if asks and not confirm(f"Map these tenants? {counted}"):
        raise CommandFault(
            f"Nothing was chosen. {UNCHANGED}", "Map one at a time: connector tenants map TENANT"
        )
    edits: list[Edit] = []
    notes: list[str] = []
    for pair in pairs:
        company, agreement, why = written(customers, pair.company, pair.agreement)
        entry = desk.file.mappings.tenants.get(pair.tenant.id)
        edits += map_edits(pair.tenant.id, pair.tenant.name, entry, company, agreement)
        notes += [f"{pair.tenant.label}: {each}" for each in why]
    carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more=_document(pairs, passed))


def _show(pairs: "Sequence[Pair]", passed: "Sequence[Passed]") -> None:
    """Print what is mapped, and what is not, with the reason and the command that does it."""
    from connector.planning.customers import agreement_label
    from connector.reports.table import Column, table

    if pairs:
        columns = [Column(title) for title in ("Tenant", "Company", "Name", "Agreement")]
        shown = [
            (each.tenant.label, each.company.identifier, each.company.name, agreement_label(each.agreement))
            for each in pairs
        ]
        answer(f"Equal names ({len(pairs)}):\n{table(columns, shown, None)}\n")
    if passed:
        columns = [Column(title) for title in ("Tenant", "Why not", "Map it with")]
        left = [(each.tenant.label, each.reason, each.command) for each in passed]
        answer(f"For a person ({len(passed)}):\n{table(columns, left, None)}\n")


def _document(pairs: "Sequence[Pair]", passed: "Sequence[Passed]") -> dict[str, Any]:
    return {
        "pairs": [
            {
                "tenant_id": each.tenant.id,
                "name": each.tenant.name,
                "company_id": each.company.id,
                "company": each.company.identifier,
                "company_name": each.company.name,
                "agreement_id": each.agreement.id,
                "agreement": each.agreement.name,
            }
            for each in pairs
        ],
        "passed": [
            {
                "tenant_id": each.tenant.id,
                "name": each.tenant.name,
                "reason": each.reason,
                "next": each.command,
            }
            for each in passed
        ],
    }
