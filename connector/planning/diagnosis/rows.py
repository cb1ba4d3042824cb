"""What is wrong with usage that reaches no key: unmapped, unassigned, unplaced, renamed, restated. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from connector.model import Key
from connector.planning.change import plain
from connector.planning.diagnosis.discrepancies import Discrepancy
from connector.planning.diagnosis.sides import Sides, people_beside
from connector.planning.diagnosis.stakes import Costs
from connector.planning.findings import Part, Unresolved, Warn
from connector.planning.holds import PRODUCT_CODES, TENANT_CODES
from connector.planning.prices import Money
from connector.planning.product_names import product_name
from connector.planning.references import code_command, tenant_command
from connector.planning.restatement import RESTATED, Restated, restatement_findings
from connector.planning.successors import SUSPECTED, Successor
from connector.planning.wording import succession

ZERO = Decimal(0)
UNASSIGNED = "FIREWALL_UNASSIGNED"
INACTIVE = "AGREEMENT_INACTIVE"


def unplaced(sides: Sides, costs: Costs, entries: Iterable[Unresolved]) -> Iterator[Discrepancy]:
    """Yield a finding for each tenant and code, or serial; all codes of an unmapped tenant are one."""
    tenants: dict[str, list[Unresolved]] = defaultdict(list)
    for entry in entries:
        if entry.code == "UNMAPPED_TENANT" and entry.tenant_id is not None:
            tenants[entry.tenant_id].append(entry)
        else:
            yield _row(sides, costs, entry)
    for tenant_id, unmapped in tenants.items():
        yield _tenant(sides, costs, tenant_id, unmapped)


def _row(sides: Sides, costs: Costs, entry: Unresolved) -> Discrepancy:
    advice, next_step = _remedy(sides, entry)
    return Discrepancy(
        code=entry.code,
        message=entry.message,
        next=next_step,
        advice=advice,
        evidence=(f"{entry.rows} rows",) if entry.rows > 1 else (),
        tenant_id=entry.tenant_id,
        product_code=entry.product_code,
        serial=entry.serial,
        usage=entry.quantity,
        money=costs.of_rows([entry]),
        tenant=sides.tenant(entry.tenant_id),
    )


def _tenant(sides: Sides, costs: Costs, tenant_id: str, entries: Sequence[Unresolved]) -> Discrepancy:
    codes = ", ".join(f"{plain(entry.quantity)} {entry.product_code}" for entry in entries)
    name, _, _ = entries[0].message.partition(f", {entries[0].product_code}: ")
    return Discrepancy(
        code="UNMAPPED_TENANT",
        message=f"{name}: {codes}: the tenant has no agreement in mappings.yaml",
        next=tenant_command("map", tenant_id),
        advice=f"if it is not to be billed, turn it off instead: {tenant_command('off', tenant_id)}",
        tenant_id=tenant_id,
        product_code=entries[0].product_code if len(entries) == 1 else None,
        usage=sum((entry.quantity for entry in entries), ZERO),
        money=costs.of_rows(entries),
        tenant=sides.tenant(tenant_id),
    )


def _remedy(sides: Sides, entry: Unresolved) -> tuple[str, str]:
    """Return what a person does first, and the one command that comes next."""
    if entry.code == UNASSIGNED:
        return entry.next_step, "connector firewalls --unassigned"
    if entry.tenant_id is None:  # a row of a file that was not imported
        return entry.next_step, f"connector usage show {sides.inputs.period} --source file"
    if entry.code in PRODUCT_CODES and entry.product_code:
        off = f"if it is not to be billed, turn it off instead: {code_command('off', entry.product_code)}"
        advice = off if entry.code == "UNMAPPED_PRODUCT" else entry.next_step
        return advice, code_command("map", entry.product_code)
    if entry.code in TENANT_CODES and entry.code != INACTIVE:
        return entry.next_step, tenant_command("map", entry.tenant_id)
    return entry.next_step, sides.command("plan")


# Codes that may be new names of old ones ---------------------------------------------------------


def succession_items(
    sides: Sides,
    costs: Costs,
    successors: Iterable[Successor],
    entries: Collection[Unresolved],
    falls: Mapping[str, Sequence[Key]],
) -> Iterator[tuple[Discrepancy, tuple[Unresolved, ...]]]:
    """Yield one finding for an old code and its new one, with the rows that it explains.

    `falls` are the keys, by old code, that are held meanwhile.
    """
    for each in successors:
        rows = tuple(
            entry
            for entry in entries
            if entry.code == "UNMAPPED_PRODUCT"
            and entry.product_code == each.new
            and entry.tenant_id in each.tenants
        )
        keys = falls.get(each.old, ())
        numbers = [sides.numbers(key) for key in keys]
        shown = [each.connectwise for each in numbers if each.connectwise is not None]
        one = each.tenants[0] if len(each.tenants) == 1 else None
        yield (
            Discrepancy(
                code=SUSPECTED,
                message=succession(each, sides.inputs.placer.mappings),
                next=each.command,
                advice=f"make sure that {each.new} is what {each.old} was",
                evidence=tuple(line for key in keys for line in _meanwhile(sides, key)),
                tenant_id=one,
                product_code=each.new,
                key=keys[0] if len(keys) == 1 else None,
                addition_id=numbers[0].addition_ids[0] if len(keys) == 1 else None,
                usage=each.now,
                written=each.before or None,
                connectwise=sum(shown, ZERO) if shown else None,
                billed=sum((number.billed or ZERO for number in numbers), ZERO) if shown else None,
                money=costs.of_rows(rows),
                tenant=sides.tenant(one),
            ),
            rows,
        )


def _meanwhile(sides: Sides, key: Key) -> Iterator[str]:
    """Yield what bills a key while nobody has decided."""
    ours = sum((line.quantity for line in sides.lines[key].managed), ZERO)
    yield f"{sides.named(key)} stays at {plain(ours)} meanwhile"
    if sides.beside(key):
        yield f"{sides.named(key)}: {people_beside(sides.beside(key))}"


# A month that changed after it was billed --------------------------------------------------------


def restated_items(sides: Sides, restated: Sequence[Restated]) -> Iterator[Discrepancy]:
    """Yield a finding for each tenant and code whose rows are not those that were billed."""
    inputs = sides.inputs
    told = restatement_findings(restated, inputs.period, inputs.source, inputs.names)
    for each, finding in zip(restated, told, strict=True):
        place = inputs.placer.place(each.tenant_id, each.product_code) if each.tenant_id is not None else None
        key = place if isinstance(place, Key) else None
        numbers = sides.numbers(key) if key is not None else None
        alone = numbers is not None and len(numbers.parts) <= 1
        late = sides.then is not None
        yield Discrepancy(
            code=RESTATED,
            message=finding.message,
            next=sides.command("sync") if late else f"{sides.command('sync')} --restate",
            advice=f"{inputs.newest_applied} was billed since: bill the difference or raise a credit by hand"
            if late
            else "the month stays as it was billed, unless it is to be billed as it is now",
            tenant_id=each.tenant_id,
            product_code=each.product_code,
            key=key,
            addition_id=numbers.addition_ids[0] if numbers is not None and numbers.addition_ids else None,
            usage=each.now,
            written=each.before,
            connectwise=numbers.connectwise if numbers is not None and alone else None,
            billed=numbers.billed if numbers is not None and alone else None,
            money=_moved(each),
            tenant=sides.tenant(each.tenant_id),
            company=numbers.company if numbers is not None else "",
            agreement=numbers.agreement if numbers is not None else "",
            item=numbers.item if numbers is not None else "",
        )


def _moved(each: Restated) -> Money | None:
    if each.unpriced or len(each.cost) != 1:
        return None
    return Money(abs(each.cost[0].amount), each.cost[0].currency)


# Worth knowing -----------------------------------------------------------------------------------


def renamed_products(
    now: Mapping[str, Collection[str]], before: Mapping[str, Collection[str]]
) -> Iterator[Discrepancy]:
    """Yield each code whose product Sophos calls otherwise than before, by the descriptions of its rows."""
    for code in sorted(now.keys() & before.keys()):
        names, earlier = _names(now[code]), _names(before[code])
        if names and earlier and not names.keys() & earlier.keys():
            what = f"{code}: Sophos calls it {_listed(names)} now; it was {_listed(earlier)} before"
            yield Discrepancy(
                code="RENAMED",
                message=f"{what}; the code is the same, so nothing changes",
                next="connector products",
                product_code=code,
                needs_person=False,
            )


def _names(descriptions: Iterable[str]) -> dict[str, str]:
    found = (product_name(each) for each in sorted(descriptions))
    return {" ".join(each.casefold().split()): each for each in found if each}


def _listed(names: Mapping[str, str]) -> str:
    return " and ".join(f'"{name}"' for name in names.values())


def told_items(sides: Sides, warnings: Iterable[Warn]) -> Iterator[Discrepancy]:
    """Yield what a plan warns of that is no difference of any key."""
    for warning in warnings:
        renamed = warning.code.endswith("_RENAMED")
        yield Discrepancy(
            code="RENAMED" if renamed else warning.code,
            message=warning.message,
            next="connector mappings check" if renamed else sides.command("plan"),
            key=warning.key,
            company=sides.company(warning.key.agreement_id) if warning.key is not None else "",
            agreement=sides.agreement(warning.key.agreement_id) if warning.key is not None else "",
            item=sides.words.item(warning.key.item_id) if warning.key is not None else "",
            needs_person=False,
        )


def fed_by(keys: Iterable[Key], sides: Sides) -> dict[str, list[Key]]:
    """Return the keys that each product code fed."""
    found: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        for code in dict.fromkeys(part.product_code for part in _before(key, sides)):
            found[code].append(key)
    return found


def _before(key: Key, sides: Sides) -> tuple[Part, ...]:
    return sides.changes[key].was
