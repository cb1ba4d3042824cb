"""What is wrong with prices, whether or not a rule owns them: 0, below cost, another currency. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from connector.model import Addition, Key
from connector.planning.change import plain
from connector.planning.diagnosis.discrepancies import Discrepancy
from connector.planning.diagnosis.sides import NO_LINES, Sides
from connector.planning.diagnosis.stakes import Costs, billed_of, charged, each_of, loss_of
from connector.planning.findings import Desired, Unresolved
from connector.planning.pricing import rule_for

FREE, LOSS, CURRENCY = "PRICE_ZERO", "MARGIN_NEGATIVE", "CURRENCY_MISMATCH"


def price_items(sides: Sides, costs: Costs) -> Iterator[Discrepancy]:
    """Yield a finding for each price that a person should look at; they stand beside those of quantities."""
    mismatched: dict[int, list[Key]] = defaultdict(list)
    for key in sides.every_key:
        if key.agreement_id in sides.unread:
            continue
        desired = sides.desired(key)
        found = list(_lines(sides, costs, key, desired))
        yield from found
        if not found:
            yield from _planned(sides, key)
        if desired is not None and _foreign(sides, costs, key, desired):
            mismatched[key.agreement_id].append(key)
    waiting: dict[tuple[Key, str], list[Unresolved]] = defaultdict(list)
    for entry in sides.plan.unresolved:
        if entry.billed and entry.key is not None and entry.key.agreement_id not in sides.unread:
            waiting[entry.key, entry.code].append(entry)
    for (key, code), entries in waiting.items():
        yield sides.item(
            code,
            key,
            entries[0].message.removeprefix(f"{sides.named(key)}: "),
            sides.command("plan"),
            advice=entries[0].next_step,
        )
    for there in mismatched.values():
        yield _mismatch(sides, costs, there)


def _lines(sides: Sides, costs: Costs, key: Key, desired: Desired | None) -> Iterator[Discrepancy]:
    """Yield what is wrong with the price of each line of ours that is charged."""
    for line in sides.lines.get(key, NO_LINES).managed:
        if line.unit_price is None or billed_of(line) <= 0 or not charged(line):
            continue
        if line.unit_price == 0:
            cost = costs.of(desired.parts) if desired is not None else None
            if cost is not None and not cost.amount:
                continue  # what costs nothing may well be given away
            what = f"addition {line.id} bills {plain(billed_of(line))} units at a price of 0"
            yield _price_item(sides, FREE, key, line, what, money=cost)
        elif desired is not None and desired.quantity > 0:
            yield from _loss(sides, costs, key, line, desired)


def _loss(sides: Sides, costs: Costs, key: Key, line: Addition, desired: Desired) -> Iterator[Discrepancy]:
    cost, price = costs.of(desired.parts), line.unit_price
    if cost is None or price is None or sides.currency(key) not in {"", cost.currency}:
        return
    if price * desired.quantity < cost.amount:
        lost = loss_of(cost, price, line.quantity, desired.quantity)
        each = plain(each_of(cost, desired.quantity))
        what = f"a unit sells at {plain(price)} and costs {each} {cost.currency}"
        sold = f"ConnectWise: {plain(price)} {sides.currency(key)}".rstrip()
        bought = f"Sophos: {plain(cost.amount)} {cost.currency} for {plain(desired.quantity)}"
        yield _price_item(sides, LOSS, key, line, what, money=lost, evidence=(sold, bought))


def _price_item(sides: Sides, code: str, key: Key, line: Addition, what: str, **said: object) -> Discrepancy:
    """Return a finding on a line's price; one that no rule mends is people's own, so nobody has to decide."""
    change = sides.changes.get(key)
    ruled = change is not None and change.held is None and change.unit_price is not None
    return sides.item(
        code,
        key,
        what,
        sides.command("sync" if ruled and not sides.plan.objections else "plan"),
        advice="" if ruled else "set the price of the addition in ConnectWise",
        addition_id=line.id,
        needs_person=ruled,
        **said,
    )


def _planned(sides: Sides, key: Key) -> Iterator[Discrepancy]:
    """Yield what the plan says of the prices that rules give."""
    for warning in sides.warnings.get(key, ()):
        if warning.code in {FREE, LOSS}:
            yield sides.item(
                warning.code,
                key,
                warning.message.removeprefix(f"{sides.named(key)}: "),
                sides.command("plan"),
                advice="change the price rule in mappings.yaml",
                needs_person=False,
            )


def _foreign(sides: Sides, costs: Costs, key: Key, desired: Desired) -> bool:
    """Whether a key is billed in another currency than its usage, and no rule has to convert it."""
    currency, mappings = sides.currency(key), sides.inputs.placer.mappings
    if not currency or any(rule_for(mappings, *part.pair).on for part in desired.parts):
        return False
    return bool(costs.currencies(desired.parts) - {currency})


def _mismatch(sides: Sides, costs: Costs, keys: list[Key]) -> Discrepancy:
    parts = [part for key in keys for part in sides.was(key)]
    currencies = " and ".join(sorted(costs.currencies(parts) - {sides.currency(keys[0])}))
    name = f'agreement "{sides.agreement(keys[0].agreement_id)}" ({keys[0].agreement_id})'
    return Discrepancy(
        code=CURRENCY,
        message=f"{name} of {sides.company(keys[0].agreement_id)} bills in {sides.currency(keys[0])}, and "
        f"Sophos in {currencies}: no margin can be told",
        next=sides.command("plan"),
        advice="write the rate under `pricing: rates:` in mappings.yaml, should a rule ever own its prices",
        evidence=tuple(sides.words.item(key.item_id) for key in keys),
        key=keys[0],
        company=sides.company(keys[0].agreement_id),
        agreement=sides.agreement(keys[0].agreement_id),
        needs_person=False,
    )
