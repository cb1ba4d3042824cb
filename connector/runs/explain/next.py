"""The one command to type next, for a change, something unresolved, or usage that is off."""

from collections.abc import Sequence

from connector.planning.change import Change, Plan
from connector.planning.findings import Unresolved, Warn
from connector.planning.references import code_command, shell_word
from connector.planning.resolve import NEXT_STEPS
from connector.planning.restatement import RESTATED
from connector.planning.successors import SUSPECTED
from connector.planning.uncounted import NOT_COUNTED
from connector.runs.explain.map import OFF_EXCEPTION, OFF_PRODUCT, OFF_TENANT

_BY_HAND = {"ENDED_BY_HAND", "MOVED_BY_HAND"}
_TENANTS = {"UNMAPPED_TENANT"}


def next_step(
    plan: Plan, change: Change | None, unresolved: Sequence[Unresolved], warnings: Sequence[Warn]
) -> tuple[str, str]:
    """Return the command and what a person does before it, both empty where there is nothing to do."""
    if unresolved:
        first = unresolved[0]
        return unresolved_step(first, plan), first.next_step
    if change is not None and change.held is not None:
        return held_step(change.held, plan), "see that the change is right"
    if change is not None:
        return plan.sync, ""
    if any(warning.code == "OFF_STILL_BILLING" for warning in warnings):
        return f"connector plan {plan.period}", "end the line in ConnectWise if it should stop billing"
    return "", ""


def held_step(code: str, plan: Plan) -> str:
    """Return the command that releases what is held, or that shows it where nobody can."""
    if code == NOT_COUNTED:
        return "connector sync"
    if code == SUSPECTED:
        return f"connector plan {plan.period}"
    return f"{plan.sync} --adopt" if code == "NEEDS_ADOPTION" else f"{plan.sync} --force {code}"


def unresolved_step(entry: Unresolved, plan: Plan) -> str:
    """Return the command for what a plan could not place."""
    if entry.code in _BY_HAND:
        return f"{plan.sync} --recreate"
    if entry.code == RESTATED:
        return f"{plan.sync} --restate"
    return unplaced_step(entry.code, entry.tenant_id, entry.product_code, entry.serial, str(plan.period))


def unplaced_step(
    code: str, tenant_id: str | None, product_code: str | None, serial: str | None, period: str
) -> str:
    """Return the command for usage that has no place: it edits the map, or looks again."""
    if code == "FIREWALL_UNASSIGNED":
        return (
            f"connector firewalls --period {period} --unassigned" if serial else f"connector usage {period}"
        )
    if code.startswith(("COMPANY_", "AGREEMENT_")) or code in _TENANTS:
        if code in NEXT_STEPS and tenant_id is not None:
            return f"connector tenants map {shell_word(tenant_id, 'TENANT')}"
    elif (code.startswith("ITEM_") or code == "UNMAPPED_PRODUCT") and product_code:
        return code_command("map", product_code)
    return f"connector plan {period}"


def off_step(what: str, tenant_id: str, product_code: str) -> str:
    """Return the command that turns usage on again; an exception is a line for a person to edit."""
    if what == OFF_EXCEPTION:
        return "connector mappings check"
    if what == OFF_TENANT:
        return f"connector tenants on {shell_word(tenant_id, 'TENANT')}"
    return code_command("on" if what == OFF_PRODUCT else "map", product_code)
