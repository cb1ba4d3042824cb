"""Creating a catalog item for a product code, step by step; nothing is created that exists."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connector.cli.asking import can_ask, confirm
from connector.cli.edits import carry_out
from connector.cli.invocation import Invocation
from connector.cli.item_options import choice_for, must_agree, price_for
from connector.cli.terminal import Terminal, tell
from connector.errors import CommandFault, ConnectorError
from connector.mappings.file import edit_file
from connector.model import CatalogRecord, NewItem
from connector.planning.new_item import References, Wish, pick, proposed, unit_cost
from connector.planning.product_names import product_name
from connector.planning.references import code_command, map_command
from connector.reports.escape import printable
from connector.reports.items import candidate_text, new_item_document, new_item_lines
from connector.runs.items import UNCHANGED, create_item, must_be_sendable, must_be_usable
from connector.runs.product_mapping import MonthSeen, edits_to_map, mapped_to, what_comes_of

if TYPE_CHECKING:
    from connector.vendors.connectwise import ConnectWiseClient

UNTOUCHED = f"Nothing was created, and {UNCHANGED}"


@dataclass(frozen=True, slots=True)
class Adding:
    """One `products add`, with all that it works with."""

    called: Invocation
    at: MonthSeen
    connectwise: "ConnectWiseClient"
    terminal: Terminal
    wish: Wish
    yes: bool
    dry_run: bool

    @property
    def asks(self) -> bool:
        """Whether a person is there to be asked, and wants to be."""
        return can_ask() and not self.yes

    def add(self, code: str, subcategory: str | None, product_type: str | None, unit: str | None) -> None:
        """Create the item and map the code to it, or map the code to one that exists if a person agrees."""
        entry = self.at.file.mappings.products.get(code)
        if entry is not None and entry.item is not None:
            raise CommandFault(
                f"{code} is mapped to {entry.item} already. {UNTOUCHED}",
                f"See it: {code_command('show', code)}. To have another one: {code_command('unmap', code)}",
            )
        catalog = self.connectwise.catalog
        identifier = (self.wish.identifier or code.upper()).strip()
        existing = catalog.items_named(identifier)
        if existing:
            self._map(code, self._agreed(code, identifier, existing), existing, created=False)
            return
        references = References(
            choice_for(catalog.subcategories(), subcategory, "--subcategory", ask=self.asks),
            choice_for(catalog.product_types(), product_type, "--type", ask=self.asks),
            pick(catalog.units(), unit, "--unit") if unit is not None else None,
        )
        cost = unit_cost(row for row in self.at.look.survey.rows if row.product_code == code)
        wish = replace(self.wish, price=price_for(code, self.wish.price, ask=self.asks))
        name = product_name(self.at.name(code))
        new = proposed(code, name, cost.amount if cost is not None else None, wish, references)
        must_be_sendable(new)
        # Whatever keeps the map from being written is to be told before anything is created.
        edits = edits_to_map(self.at.file, code, self.at.name(code), new.identifier)
        edit_file(self.at.file, edits)
        shown = new_item_lines(new, references, cost)
        if self.dry_run:
            more = {"code": code, "created": False, "item": new_item_document(new, references)}
            notes = ["This item would be created in ConnectWise:", *shown]
            carry_out(self.called, self.at.file, edits, dry_run=True, notes=notes, more=more)
            return
        tell("\n".join(["The item to create in ConnectWise:", *map(printable, shown)]))
        must_agree("Create it, and map the code to it?", yes=self.yes, untouched=UNTOUCHED)
        self._create(code, new)

    def _create(self, code: str, new: NewItem) -> None:
        made = create_item(self.connectwise.catalog, new)
        told = made.note or f"ConnectWise has made {made.item.identifier} ({made.item.id})."
        tell(printable(told))
        try:
            self._map(code, made.item, (made.item,), created=True)
        except ConnectorError as error:
            error.message = (
                f"{made.item.identifier} ({made.item.id}) was created in ConnectWise, but {code} is not "
                f"mapped to it. {error.message}"
            )
            error.next_step = f"Map it with: {map_command(code, made.item.id)}"
            raise

    def _agreed(self, code: str, identifier: str, existing: tuple[CatalogRecord, ...]) -> CatalogRecord:
        """Return the item of this identifier that exists, if a person wants the code mapped to it."""
        found = existing[0]
        command = map_command(code, identifier if len(existing) == 1 else found.id)
        if len(existing) == 1:
            must_be_usable(found)
            if self.asks:
                tell(f"ConnectWise has it already: {printable(candidate_text(found, f'id {found.id}'))}")
                if confirm(f"Map {code} to it?"):
                    return found
        raise CommandFault(
            f"ConnectWise has an item {identifier} already (id {found.id}). {UNTOUCHED}",
            f"Map the code to it: {command}. Or give another --identifier.",
        )

    def _map(
        self, code: str, item: CatalogRecord, same_name: tuple[CatalogRecord, ...], *, created: bool
    ) -> None:
        mapped = mapped_to(self.at, code, item, same_name)
        notes, more = what_comes_of(self.at, mapped, self.connectwise, self.terminal)
        carry_out(
            self.called,
            self.at.file,
            mapped.edits,
            dry_run=self.dry_run,
            notes=notes,
            more=more | {"created": created},
        )
