"""The catalog item that mappings.yaml gives to a product code, as ConnectWise has it now."""

from connector.errors import CommandFault
from connector.model import CatalogRecord, Mappings
from connector.planning.directory import Directory, Unplaced
from connector.planning.product_codes import known_code
from connector.planning.references import code_command
from connector.vendors.connectwise_items import ConnectWiseCatalog


def mapped_item(
    catalog: ConnectWiseCatalog, mappings: Mappings, directory: Directory, text: str
) -> tuple[str, CatalogRecord]:
    """Return the code that is meant, and its item; raises CommandFault where it has none."""
    advice = f"Map it first: {code_command('map', text.strip())}"
    code = known_code(
        text,
        mappings.products,
        where="`products:` of mappings.yaml",
        next_step=advice,
        kept="Nothing was changed.",
    )
    reference = mappings.products[code].item
    again = f"Map it: {code_command('map', code)}"
    if reference is None:
        raise CommandFault(f"{code} is mapped to no item. Nothing was changed.", again)
    found = directory.item(reference)
    if isinstance(found, Unplaced):
        raise CommandFault(f"{code}: {found.message} ({found.code}). Nothing was changed.", again)
    item = catalog.item(found.id)
    if item is None:
        raise CommandFault(f"{code}: item {found.identifier} is gone from ConnectWise.", again)
    return code, item
