"""What `per`, `round` and `aggregate` of products must agree on, which one entry alone does not show."""

from collections.abc import Iterator

from connector.errors import Fault
from connector.mappings.document import Table
from connector.mappings.wording import dotted, quoted, shown


def bundle_faults(root: Table) -> Iterator[Fault]:
    """Yield a `round` that has nothing to round, and codes of one item that add up in different ways.

    References are compared as they are written; two that turn out to be one item are found when planning.
    """
    products = root.get("products")
    if not isinstance(products, Table):
        return
    first: dict[str | int, str] = {}
    for code, entry in products.items():
        if not isinstance(entry, Table):
            continue
        if "round" in entry and "per" not in entry:
            where = dotted(("products", code, "round"))
            yield Fault(*entry.key_place("round"), f"{where}: there is no `per` whose units it could round")
        item = _item(entry)
        if item is None:
            continue
        other = first.setdefault(item, code)
        if _aggregate(products[other]) != _aggregate(entry):
            place = entry.value_place("aggregate") if "aggregate" in entry else products.key_place(code)
            where = dotted(("products", code, "aggregate"))
            first_said = f"{quoted(other)} in line {products.key_place(other)[0]}"
            yield Fault(
                *place,
                f"{where}: {_aggregate(entry)}, but {first_said} has {_aggregate(products[other])} and feeds "
                f"the same item, {shown(entry['item'])}; give both the same",
            )


def _item(entry: Table) -> str | int | None:
    """Return what an entry that is on calls its item, as texts are compared; None for any other entry."""
    item = entry.get("item")
    if entry.get("sync") is False or isinstance(item, bool) or _aggregate(entry) not in {"sum", "max"}:
        return None
    if isinstance(item, str):
        return item.strip().casefold()
    return item if isinstance(item, int) else None


def _aggregate(entry: object) -> object:
    said = entry.get("aggregate", "sum") if isinstance(entry, Table) else None
    return said if isinstance(said, str) else None
