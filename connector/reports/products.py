"""Product codes and catalog items as rows of a table."""

from connector.model import CatalogRecord, Mappings
from connector.planning.change import plain
from connector.planning.states import ProductState
from connector.planning.successors import Successor
from connector.planning.wording import succession
from connector.reports.items import shown_field
from connector.reports.survey import money_cells, reference_text
from connector.reports.table import Column


def product_columns() -> tuple[Column, ...]:
    """Return the columns of a list of product codes."""
    return (
        Column("Code"),
        Column("Name", cut=True),
        Column("Group"),
        Column("Tenants", right=True),
        Column("Quantity", right=True),
        Column("Cost", right=True),
        Column("Currency"),
        Column("Item"),
        Column("State"),
        Column("Note", cut=True),
    )


def product_row(product: ProductState) -> tuple[str, ...]:
    """Return one product code."""
    return (
        product.code,
        product.name,
        product.group,
        str(product.tenants),
        plain(product.quantity),
        *money_cells(product.cost),
        product.identifier or reference_text(product.item),
        product.state,
        "; ".join(product.notes),
    )


def item_columns() -> tuple[Column, ...]:
    """Return the columns of a list of catalog items."""
    return (
        Column("Id", right=True),
        Column("Identifier"),
        Column("Description", cut=True),
        Column("Class"),
        Column("Price", right=True),
        Column("Active"),
    )


def item_row(item: CatalogRecord) -> tuple[str, ...]:
    """Return one catalog item."""
    price = shown_field(item.price)
    return (
        str(item.id),
        item.identifier,
        item.description,
        item.product_class,
        price,
        shown_field(not item.inactive),
    )


def successor_text(each: Successor, mappings: Mappings) -> str:
    """Say which code may have replaced which, and what happens meanwhile."""
    return f"{succession(each, mappings)}; nothing is zeroed there meanwhile"
