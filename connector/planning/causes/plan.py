"""What a plan, or its changes, leave to a person: grouped as people mend it (pure)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Period
from connector.planning.causes.cause import Cause, cause_id, once, print_of
from connector.planning.causes.charges import UNKNOWN, Charge, Place, charged_for, together
from connector.planning.change import Change, Plan, plain
from connector.planning.findings import Objection, Unresolved, tenant_label
from connector.planning.holds import PRODUCT_CODES, TENANT_CODES
from connector.planning.references import code_command, shell_word
from connector.planning.restatement import RESTATED
from connector.planning.sources import LIVE, source_option
from connector.planning.successors import SUSPECTED
from connector.planning.uncounted import NOT_COUNTED

NEEDS_APPROVAL = "NEEDS_APPROVAL"
_MOST_NAMED = 3
_REQUEST = re.compile(r"\s*\bRequest id \S+")


@dataclass(frozen=True, slots=True)
class Unmade:
    """A change that was sent and is not done; `outcome` is failed or unclear."""

    change: Change
    outcome: str
    message: str


def causes_of_plan(plan: Plan, charges: Mapping[Place, Charge]) -> tuple[Cause, ...]:
    """Return what a plan leaves to a person: what is unresolved, held, or stopped by a guard."""
    groups: dict[str, list[Unresolved]] = {}
    for entry in plan.unresolved:
        groups.setdefault(_unresolved_id(entry, plan.period), []).append(entry)
    found = [_refused(objection, plan) for objection in plan.objections]
    for name, entries in groups.items():
        if entries[0].code == RESTATED:
            found.append(_restated(name, entries[0], plan.period, plan.source))
        else:
            found.append(_unresolved(name, entries, plan, charges))
    found += [_held(change, plan) for change in plan.held]
    return once(found)


def causes_of_restated(restated: Iterable[Unresolved], period: Period, source: str) -> tuple[Cause, ...]:
    """Return what has changed of a month since it was billed."""
    return once(_restated(_unresolved_id(each, period), each, period, source) for each in restated)


def causes_of_unmade(plan: Plan, unmade: Iterable[Unmade], untried: int) -> tuple[Cause, ...]:
    """Return the changes that did not work, one by one, and all that were not tried as one."""
    found = [_unmade(each, plan) for each in unmade]
    if untried:
        found.append(
            Cause(
                id="NOT_TRIED",
                code="NOT_TRIED",
                label=f"changes of {plan.period}",
                message=f"{untried} changes of {plan.period} were not tried, because the run ended before",
                next=_look(plan),
                fingerprint=print_of(str(plan.period), None if _live(plan) else untried),
                seen="change",
                period=plan.period,
                source=plan.source,
            )
        )
    return once(found)


def _unresolved_id(entry: Unresolved, period: Period) -> str:
    """Name what people mend in one go: a product, a tenant, a firewall, a line."""
    if entry.code == RESTATED:
        return cause_id(entry.code, str(period), entry.tenant_id or "", entry.product_code or "")
    if entry.code in PRODUCT_CODES:
        return cause_id(entry.code, entry.product_code or "")
    if entry.code in TENANT_CODES:
        return cause_id(entry.code, entry.tenant_id or "")
    if entry.tenant_id is None and entry.serial:
        return cause_id(entry.code, entry.serial)
    if entry.key is not None:
        return cause_id(entry.code, *map(str, entry.key))
    return cause_id(entry.code, entry.tenant_id or "", entry.product_code or "")


def _unresolved(name: str, entries: list[Unresolved], plan: Plan, charges: Mapping[Place, Charge]) -> Cause:
    first = entries[0]
    units = sum((entry.quantity for entry in entries), Decimal(0))
    tenants = len({entry.tenant_id for entry in entries})
    tenant = tenant_label(first.tenant_id, plan.names) if first.tenant_id is not None else ""
    code = first.product_code or "a row without a product code"
    label, message = code, f"{first.message} ({plan.period})"
    command, advice = _look(plan), first.next_step
    if first.code == "UNMAPPED_PRODUCT" and first.product_code:
        who = "1 tenant" if tenants == 1 else f"{tenants} tenants"
        message = (
            f"{code} is used by {who} ({plain(units)} in {plan.period}) and has no item in mappings.yaml"
        )
        command, advice = code_command("map", code), ""
    elif first.code == "UNMAPPED_TENANT" and first.tenant_id is not None:
        label = tenant
        message = f"{tenant} has no agreement in mappings.yaml: {_uses(entries)} in {plan.period}"
        command, advice = f"connector tenants map {shell_word(first.tenant_id, 'TENANT')}", ""
    elif first.code == "FIREWALL_UNASSIGNED" and first.serial and first.tenant_id is None:
        label = f"serial {first.serial}"
        command = f"connector firewalls assign {shell_word(first.serial, 'SERIAL')} TENANT"
        advice = "put the id of its tenant in the place of TENANT, or assign it in Sophos Central Partner"
    elif first.code in TENANT_CODES and tenant:
        label = tenant
    elif first.serial and first.tenant_id is None:
        label = f"serial {first.serial}"
    if len(entries) > 1 and message.startswith(first.message):
        message = f"{first.message}, and {len(entries) - 1} more like it ({plan.period})"
    return Cause(
        id=name,
        code=first.code,
        label=label,
        message=message,
        next=command,
        fingerprint=print_of(
            str(plan.period),
            *sorted(
                [each.tenant_id or "", each.product_code or "", "" if _live(plan) else plain(each.quantity)]
                for each in entries
            ),
        ),
        seen="plan",
        period=plan.period,
        source=plan.source,
        charge=charged_for(entries, charges),
        advice=advice,
    )


def _uses(entries: list[Unresolved]) -> str:
    told = [f"{plain(entry.quantity)} {entry.product_code or '?'}" for entry in entries[:_MOST_NAMED]]
    if len(entries) > _MOST_NAMED:
        told.append(f"{len(entries) - _MOST_NAMED} products more")
    return ", ".join(told)


def _restated(name: str, entry: Unresolved, period: Period, source: str) -> Cause:
    command, advice = f"connector sync {period}{source_option(source)} --restate", ""
    said, found, other = entry.next_step.rpartition("; to see it: connector ")
    if found:  # its lines bill a newer month by now
        command, advice = f"connector {other}", said
    return Cause(
        id=name,
        code=entry.code,
        label=f"{entry.product_code} of {period}",
        message=entry.message,
        next=command,
        fingerprint=print_of(plain(entry.quantity), entry.message),
        seen="restated",
        period=period,
        source=source,
        advice=advice or "the month stays as it was billed until you say otherwise",
    )


def _held(change: Change, plan: Plan) -> Cause:
    code = change.held or ""
    before = "nothing" if change.before is None else plain(change.before)
    after = f"{plain(change.after)} for {plan.period}"
    command = _narrowed(change, plan, f" --force {code}")
    advice = "look at the plan; if it is right, release it"
    if code == NEEDS_APPROVAL:
        command = f"connector approve {plan.digest} --only {change.key.agreement_id}/{change.key.item_id}"
        advice = "look at the plan; if it is right, approve it"
    elif code == NOT_COUNTED:
        command, advice = (
            f"connector plan {plan.period}",
            "bill the month from its invoice when it is published",
        )
    elif code == SUSPECTED:
        command = _look(plan)
        advice = "say what the new code is, with the command that the plan names"
    return Cause(
        id=cause_id(code, *map(str, change.key)),
        code=code,
        label=_line(change),
        message=f"{_line(change)} is held at {before} and would be {after}: {change.because}",
        next=command,
        fingerprint=print_of(
            str(plan.period), change.kind, *(() if _live(plan) else (before, plain(change.after)))
        ),
        seen="plan",
        period=plan.period,
        source=plan.source,
        charge=_moved([change]),
        advice=advice,
    )


def _refused(objection: Objection, plan: Plan) -> Cause:
    command, advice = f"{plan.sync} --force {objection.name}", "look at the plan; if it is right, release it"
    if any(change.held == NEEDS_APPROVAL for change in plan.held):
        command, advice = (
            _look(plan),
            "a run by hand makes what waits for an approval, too: look at all of it",
        )
    return Cause(
        id=cause_id("GUARD", objection.name),
        code=objection.name,
        label=f"the guard {objection.name}",
        message=objection.message.partition(". Nothing was written")[0] + "; nothing was written",
        next=command,
        fingerprint=print_of(str(plan.period), objection.name if _live(plan) else objection.message),
        seen="plan",
        period=plan.period,
        source=plan.source,
        charge=_moved(plan.to_make),
        advice=advice,
    )


def _unmade(each: Unmade, plan: Plan) -> Cause:
    change = each.change
    said = _REQUEST.sub("", each.message).strip()
    return Cause(
        id=cause_id("CHANGE", *map(str, change.key)),
        code=each.outcome.upper(),
        label=_line(change),
        message=f"{_line(change)} is not at {plain(change.after)} as it should be: {said}",
        next=_narrowed(change, plan),
        fingerprint=print_of(
            str(plan.period), each.outcome, *(() if _live(plan) else (plain(change.after), said))
        ),
        seen="change",
        period=plan.period,
        source=plan.source,
        charge=_moved([change]),
    )


def _look(plan: Plan) -> str:
    return f"connector plan {plan.period}{source_option(plan.source)}"


def _narrowed(change: Change, plan: Plan, more: str = "") -> str:
    """Return the command that makes this change and no other; where there is none, the one that shows it.

    A run by hand makes what the nightly job may not, so it must not be for more than its cause names.
    """
    if not change.parts:
        return _look(plan)
    tenant_id, code = change.parts[0].pair
    if not shell_word(tenant_id, "") or not shell_word(code, ""):
        return _look(plan)
    return f"{plan.sync} {_option('tenant', tenant_id)} {_option('product', code)}{more}"


def _option(name: str, value: str) -> str:
    """Return an option with its value; one that begins with a dash is no option of its own."""
    return f"--{name}{'=' if value.startswith('-') else ' '}{shell_word(value, '')}"


def _live(plan: Plan) -> bool:
    """Whether it counts what is used today: that moves each night, and is no news."""
    return plan.source == LIVE


def _line(change: Change) -> str:
    return f"{change.item or f'item {change.key.item_id}'} of {change.company or 'a company'}"


def _moved(changes: Iterable[Change]) -> Charge:
    """Return by how much bills are wrong while changes wait, up and down counted alike."""
    return together(
        UNKNOWN if money is None else Charge((type(money)(abs(money.amount), money.currency),))
        for money in (change.money for change in changes)
    )
