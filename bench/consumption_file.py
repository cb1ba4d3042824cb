"""How long a distributor's file of 20,000 rows takes to import: python -m bench.consumption_file.

Also whether every damaged row is named.
"""

import csv
import io
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import xlsxwriter

from connector.ledger import Ledger
from connector.mappings import parse_mappings
from connector.model import Period
from connector.runs.usage_import import Asked, read_import, store_import

ROWS = 20_000
TENANTS = 800
SEED = 20261001
PERIOD = Period(2026, 10)
HEADER = (
    "Partner Account", "Start Date", "End Date", "Order Number", "Order Line", "Country", "Reseller",
    "End User Identifier", "End User City", "Serial Number", "EDI Number", "Term", "Product Group", "SKU",
    "Product Description", "UOM", "Ordered Quantity", "Total Quantity", "Currency", "Unit MSRP", "Discount",
    "Unit Price", "Net Price",
)  # fmt: skip
PRODUCTS = {
    "CIXA-MSP": ("Sophos Endpoint - User", "User", "1.40"),
    "MDR-MSP": ("Sophos MDR Complete - User", "User", "5.25"),
    "CEMA-MSP": ("Sophos Email Advanced - User", "User", "0.85"),
    "SVRCIXA-MSP": ("Sophos Server Protection - Server", "Server", "4.10"),
}
AT = {title: number for number, title in enumerate(HEADER)}
Damage = Callable[[list[str]], None]


def _put(title: str, text: str) -> Damage:
    def damage(row: list[str]) -> None:
        row[AT[title]] = text

    return damage


def _turn(row: list[str]) -> None:
    row[AT["Start Date"]], row[AT["End Date"]] = row[AT["End Date"]], row[AT["Start Date"]]


def _other_month(row: list[str]) -> None:
    row[AT["Start Date"]], row[AT["End Date"]] = "2026-09-01", "2026-09-30"


DAMAGES: dict[str, Damage] = {
    "a quantity that is no number": _put("Total Quantity", "twelve"),
    "no quantity": _put("Total Quantity", ""),
    "a quantity with too many decimals": _put("Total Quantity", "1.2345678"),
    "a date that does not exist": _put("Start Date", "2026-13-45"),
    "no date": _put("End Date", ""),
    "another month": _other_month,
    "an end before the start": _turn,
    "an unknown customer": _put("End User Identifier", "Nobody & Sons \x1b[2J"),
    "an unknown product": _put("Product Description", '=HYPERLINK("http://x")'),
    "a price that is none": _put("Unit Price", "n/a"),
}


def tenant_id(number: int) -> str:
    """Return the id of a made-up tenant."""
    return f"{number:08}-0000-4000-8000-000000000000"


def mappings() -> bytes:
    """Return a map that knows the customers and products of the file."""
    lines = ["version: 1", "import:", "  product_codes:"]
    lines += [f'    "{name}": {code}' for code, (name, _, _) in PRODUCTS.items()]
    lines.append("tenants:")
    lines += [f"  {tenant_id(at)}: {{name: Customer {at} Ltd}}" for at in range(TENANTS)]
    return "\n".join([*lines, ""]).encode()


def rows(count: int = ROWS, seed: int = SEED) -> tuple[list[list[str]], dict[int, str]]:
    """Return the rows of a file, its total last, and the damage of each damaged row by its number."""
    chance = random.Random(seed)  # noqa: S311
    made: list[list[str]] = []
    damaged: dict[int, str] = {}
    total = Decimal(0)
    for number in range(2, count + 2):
        name, group, price = PRODUCTS[chance.choice(list(PRODUCTS))]
        quantity = chance.randint(1, 2500)
        cost = Decimal(price) * Decimal("0.7")
        row = [
            "9912345", "2026-10-01", "2026-10-31", f"OrderID-{number}", f"OrderLine-{number}", "GB",
            "Our Reseller", f"Customer {chance.randrange(TENANTS)} Ltd", "Leeds", "", "1231231", "Monthly",
            group, f"SKU{chance.randint(100, 999)}", f"{name} - 100-199 {group.upper()}S - MSP Monthly", "EA",
            "0", str(quantity), "USD", price, "30", str(cost), str(cost * quantity),
        ]  # fmt: skip
        made.append(row)
        total += quantity
    wanted = max(1, count // 2000)
    numbers = chance.sample(range(2, count + 2), wanted * len(DAMAGES))
    for at, number in enumerate(numbers):
        what = list(DAMAGES)[at % len(DAMAGES)]
        DAMAGES[what](made[number - 2])
        damaged[number] = what
    footer = [""] * len(HEADER)
    footer[AT["End User Identifier"]], footer[AT["Total Quantity"]] = "Grand Total", str(total)
    return [*made, footer], damaged


def as_csv(body: Sequence[Sequence[str]]) -> bytes:
    """Return rows as a CSV file of Excel in Europe."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([HEADER, *body])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(body: Sequence[Sequence[str]]) -> bytes:
    """Return rows as a workbook, figures as numbers."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Consumption")
        figures = {AT[title] for title in ("Total Quantity", "Unit MSRP", "Unit Price", "Net Price")}
        for at, row in enumerate([HEADER, *body]):
            for column, text in enumerate(row):
                if at and column in figures and text.replace(".", "", 1).isdigit():
                    sheet.write_number(at, column, float(text))
                else:
                    sheet.write_string(at, column, text)
    return made.getvalue()


def measure(name: str, data: bytes, damaged: dict[int, str]) -> bool:
    """Import a file into an empty ledger, print how long that took, and say whether it was right."""
    began = perf_counter()
    mapped = parse_mappings(mappings(), "mappings.yaml")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Ledger(Path(folder)) as ledger:
        made = read_import(data, name, mapped, ledger, Asked(period=PERIOD))
        store_import(made, ledger)
    seconds = perf_counter() - began
    totals = {number for number in made.failed if number == ROWS + 2}
    right = made.failed.keys() - totals == damaged.keys()
    named = "every one named" if right else "NOT the same"
    print(f"{name}: {seconds:.2f} s, {len(made.rows)} rows stored, {len(damaged)} damaged: {named}")  # noqa: T201
    return right


def main() -> int:
    """Make both files, import them, and say whether every damaged row is named."""
    body, damaged = rows()
    files = {"usage.csv": as_csv(body), "usage.xlsx": as_xlsx(body)}
    right = [measure(name, data, damaged) for name, data in files.items()]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
