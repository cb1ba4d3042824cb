"""The keys that people choose (product codes, tenant ids, serials): none empty, none given twice."""

from collections.abc import Callable, Iterator

from connector.errors import Fault
from connector.mappings.document import Table
from connector.mappings.import_shape import name_key
from connector.mappings.scalars import flaw
from connector.mappings.wording import dotted, quoted
from connector.model import serial_of, tenant_id_of

_SECTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "products": ("product code", str.strip),
    "tenants": ("tenant id", tenant_id_of),
    "firewalls": ("serial", serial_of),
}
_IMPORT = {
    "product_codes": ("product description", name_key),
    "tenants": ("customer", name_key),
}


def key_faults(root: Table) -> Iterator[Fault]:
    """Yield what is wrong with the keys of all sections, each compared in the form the model gives it."""
    for section, (noun, normal) in _SECTIONS.items():
        table = root.get(section)
        if isinstance(table, Table):
            yield from _table_faults(table, (section,), noun, normal)
    tenants = root.get("tenants")
    if isinstance(tenants, Table):
        for tenant_id, entry in tenants.items():
            products = entry.get("products") if isinstance(entry, Table) else None
            if isinstance(products, Table):
                yield from _table_faults(products, ("tenants", tenant_id, "products"), *_SECTIONS["products"])
    imports = root.get("import")
    if isinstance(imports, Table):
        for section, (noun, normal) in _IMPORT.items():
            table = imports.get(section)
            if isinstance(table, Table):
                yield from _table_faults(table, ("import", section), noun, normal)


def _table_faults(
    table: Table, path: tuple[str, ...], noun: str, normal: Callable[[str], str]
) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for key in table:
        same = normal(key)
        problem = flaw(same)
        if problem:
            problem = f"this {noun} {problem}"
        elif same in first:
            problem = f"the same {noun} as {quoted(first[same])} in line {table.key_place(first[same])[0]}"
        if problem:
            yield Fault(*table.key_place(key), f"{dotted((*path, key))}: {problem}")
        first.setdefault(same, key)
