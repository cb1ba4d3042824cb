"""How long the map takes to read and to edit with 10,000 tenants: python -m bench.edit_map."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from time import perf_counter

from connector.mappings.edit import Edit, Put
from connector.mappings.file import MappingsFile, edit_file, read_mappings_file, save
from connector.mappings.tenant_sheet import Row, read_sheet, sheet_of
from connector.model import Agreement, Company
from connector.planning.customers import Customers
from connector.planning.directory import Directory
from connector.runs.tenant_import import import_rows

TENANTS = 10_000


def tenant_id(number: int) -> str:
    """Return the id of a made-up tenant."""
    return f"{number:08}-0000-4000-8000-000000000000"


def map_of(tenants: int) -> bytes:
    """Return a map of that many tenants, as people would lay it out."""
    lines = [
        "version: 1   # ours",
        "",
        "products:",
        "  CIXA-MSP:",
        "    item: SOPHOS-ENDPOINT",
        "",
        "tenants:",
    ]
    for number in range(tenants):
        lines += [
            f"  {tenant_id(number)}:   # customer {number}",
            f"    name: Customer {number}",
            f"    company: Customer{number}",
            "    agreement: Managed Security",
        ]
    return "\n".join([*lines, ""]).encode()


def timed(what: str, work: Callable[[], object]) -> None:
    """Print how long some work took."""
    began = perf_counter()
    work()
    print(f"{what:<60} {perf_counter() - began:6.2f} s")  # noqa: T201


def main() -> None:
    """Measure the edits that people make, with proof, diff and an atomic write each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mappings.yaml"
        path.write_bytes(map_of(TENANTS))

        def edit(edits: Sequence[Edit]) -> None:
            save(edit_file(read_mappings_file(path), edits))

        timed(f"read {TENANTS} tenants", lambda: read_mappings_file(path))
        timed("map one more tenant", lambda: edit([Put(("tenants", tenant_id(TENANTS)), {"name": "New"})]))
        timed("map one product", lambda: edit([Put(("products", "CEMA-MSP"), {"item": "SOPHOS-EMAIL"})]))
        timed("import a sheet of as many tenants into an empty map", lambda: import_sheet(Path(folder)))


def import_sheet(folder: Path) -> None:
    """Read a sheet, place every row, and write the map."""
    names = {tenant_id(number): f"Customer {number}" for number in range(TENANTS)}
    directory = Directory(
        companies=[Company(number + 1, f"Customer{number}") for number in range(TENANTS)],
        agreements=[Agreement(number + 1, "Managed Security", number + 1) for number in range(TENANTS)],
        items=(),
        remembered={},
        today=date(2026, 10, 28),
    )
    sheet = sheet_of(
        Row(each, name, name.replace(" ", ""), "Managed Security") for each, name in names.items()
    )
    file = read_mappings_file(folder / "imported.yaml", create=True)
    made = import_rows(read_sheet(sheet), file.mappings, names, Customers(directory))
    edited = edit_file(file, made.edits)
    save(edited)
    written: MappingsFile = read_mappings_file(folder / "imported.yaml")
    if len(written.mappings.tenants) != TENANTS:
        raise SystemExit("not every tenant was mapped")


if __name__ == "__main__":
    main()
