"""Mapping a product code to an item, or turning it off: the edits of the map, and what comes of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connector.errors import CommandFault
from connector.ledger import Ledger
from connector.ledger.history import codes_seen
from connector.mappings.edit import Drop, Edit, Put, Scalar
from connector.mappings.file import MappingsFile, edit_file
from connector.model import CatalogRecord, Mappings, ProductEntry, Reference
from connector.planning.aftermath import ABSENT, ItemLine, Touched, left_behind, turned_off, turned_on
from connector.planning.allowances import aggregate_of
from connector.planning.change import KnownAddition, plain
from connector.planning.directory import Name
from connector.planning.new_item import one_line
from connector.planning.product_codes import known_code
from connector.planning.product_names import product_name
from connector.planning.references import code_command, item_reference
from connector.planning.states import ProductState
from connector.planning.summing import usage_parts
from connector.reports.aftermath import fates_document, left_behind_notes, turned_off_notes, turned_on_note
from connector.runs.additions import Additions
from connector.runs.items import UNCHANGED
from connector.runs.product_lines import chosen, live_lines
from connector.runs.reading import ConnectWise, read_directory
from connector.runs.story import Story
from connector.runs.survey import Look

SEEN = "any usage or in mappings.yaml"
LIST = "See them all with: connector products"


@dataclass(frozen=True, slots=True)
class MonthSeen:
    """A month, the map and what the ledger remembers, as they were when a command began."""

    look: Look
    products: Mapping[str, ProductState]
    file: MappingsFile
    remembered: Mapping[Name, int]
    known: Mapping[int, KnownAddition]

    def code(self, text: str, *, unseen: bool = False) -> str:
        """Return the code that is meant; with `unseen` it may be one that nobody knows yet."""
        advice = f"{LIST}. A code that no usage has had yet is mapped with --unseen." if not unseen else ""
        try:
            return known_code(text, self.products, where=SEEN, next_step=advice)
        except CommandFault:
            if not unseen or not text.strip():
                raise
            return text.strip()

    def name(self, code: str) -> str:
        """Return what Sophos calls a code, with its price band, or nothing."""
        return self.products[code].name if code in self.products else ""


def month_seen(look: Look, file: MappingsFile, ledger: Ledger) -> MonthSeen:
    """Return what a command that maps a code works with."""
    products = {each.code: each for each in look.survey.products()}
    return MonthSeen(look, products, file, ledger.names(), ledger.known_additions())


@dataclass(frozen=True, slots=True)
class Mapped:
    """A code and the item that it is mapped to, with the edits that say so; `after` is what they make."""

    code: str
    item: CatalogRecord
    reference: Reference
    edits: Sequence[Edit]
    after: Mappings
    why: str = ""


def edits_to_map(file: MappingsFile, code: str, name: str, reference: Reference) -> list[Edit]:
    """Return the edits that map a code and turn it on; a name is written for a new entry only.

    All codes of an item add up in one way: the code takes over that of the codes which feed it already.
    """
    entry = file.mappings.products.get(code)
    aggregate = aggregate_of(file.mappings, reference, but=code)
    edits: list[Edit]
    if entry is None:
        edits = [Put(("products", code), _named(name) | {"item": reference})]
    else:
        edits = [Put(("products", code, "item"), reference)]
        if not entry.sync:
            edits.append(Drop(("products", code, "sync")))
    if aggregate is not None and aggregate != (entry or ProductEntry()).aggregate:
        where = ("products", code, "aggregate")
        edits.append(Drop(where) if aggregate == "sum" else Put(where, aggregate))
    return edits


def mapped_to(at: MonthSeen, code: str, item: CatalogRecord, same_name: Iterable[CatalogRecord]) -> Mapped:
    """Return the mapping of a code to an item; `same_name` are the items of that identifier."""
    ids = [each.id for each in same_name]
    written = item_reference(item.id, item.identifier, ids, at.remembered)
    entry = at.file.mappings.products.get(code)
    said_by_id = entry is not None and entry.item == item.id
    reference = item.id if said_by_id else written.value
    edits = edits_to_map(at.file, code, at.name(code), reference)
    after = edit_file(at.file, edits).mappings
    return Mapped(code, item, reference, edits, after, "" if said_by_id else written.why)


def what_comes_of(
    at: MonthSeen, mapped: Mapped, connectwise: Additions, story: Story
) -> tuple[list[str], dict[str, Any]]:
    """Say, for people and as JSON, what the mapping turns on, and what becomes of lines of another item."""
    survey, code, item = at.look.survey, mapped.code, mapped.item
    on = turned_on(code, usage_parts(survey.rows, survey.finder), mapped.after, mapped.reference)
    touched = left_behind(code, at.known.values(), mapped.after, mapped.reference, item.id)
    agreements = {each.line.key.agreement_id for each in touched}
    lines = live_lines(connectwise, survey.directory, at.known, agreements, story)
    fates = _fates(lines, touched)
    notes = turned_on_note(code, item.identifier, at.look.period, on)
    notes += [mapped.why] if mapped.why else []
    notes += left_behind_notes(ABSENT[mapped.after.defaults.absent], fates)
    more = {
        "code": code,
        "item_id": item.id,
        "identifier": item.identifier,
        "period": str(at.look.period) if at.look.period is not None else None,
        "tenants": on.tenants,
        "quantity": plain(on.quantity),
        "waiting_tenants": on.waiting,
        "waiting_quantity": plain(on.waiting_quantity),
        "additions": fates_document(fates),
    }
    return notes, more


# Turning off -------------------------------------------------------------------------------------


def code_to_turn_off(text: str, file: MappingsFile, ledger: Ledger) -> tuple[str, str] | None:
    """Return a code of the map or of earlier usage with its name; None where only this month may know it."""
    called = {code: seen.name for code, seen in codes_seen(ledger).items()}
    try:
        code = known_code(text, {*called, *file.mappings.products}, where=SEEN, next_step=LIST)
    except CommandFault:
        return None
    return code, called.get(code, "")


def edits_to_turn_off(file: MappingsFile, code: str, name: str) -> list[Edit]:
    """Return the edit that decides a code is not billed."""
    if code not in file.mappings.products:
        return [Put(("products", code), _named(name) | {"sync": False})]
    return [Put(("products", code), {"sync": False})]


def edits_to_turn_on(file: MappingsFile, code: str) -> list[Edit]:
    """Return the edit that lets a code be billed again; raises CommandFault where it has no item."""
    if file.mappings.products[code].item is None:
        raise CommandFault(
            f"{code} is mapped to no item, so it cannot be turned on. {UNCHANGED}",
            f"Map it: {code_command('map', code)}",
        )
    return [Drop(("products", code, "sync"))]


@dataclass(frozen=True, slots=True)
class TurningOff:
    """What it takes to say what turning a code off comes to."""

    file: MappingsFile
    ledger: Ledger
    connectwise: ConnectWise
    today: date
    story: Story

    def comes_to(self, code: str, edits: Sequence[Edit]) -> tuple[list[str], dict[str, Any]]:
        """Say which lines go on billing; ConnectWise is read only where there may be any."""
        after = edit_file(self.file, edits).mappings
        known = self.ledger.known_additions()
        touched = turned_off(code, known.values(), after)
        fates: list[tuple[ItemLine, Touched]] = []
        if touched:
            maps = (self.file.mappings,)
            directory = read_directory(self.connectwise, self.ledger, maps, self.today, self.story)
            agreements = {each.line.key.agreement_id for each in touched}
            lines = live_lines(self.connectwise, directory, known, agreements, self.story)
            fates = _fates(lines, touched)
        notes = turned_off_notes(code, fates)
        excepted = sum(
            entry.sync and said.sync is not False and (said.sync is True or said.item is not None)
            for entry in after.tenants.values()
            for its_code, said in entry.products.items()
            if its_code == code
        )
        if excepted:
            whose = "1 tenant's exception turns" if excepted == 1 else f"{excepted} tenants' exceptions turn"
            notes.append(f"{whose} {code} on all the same, under `tenants:`.")
        return notes, {"code": code, "additions": fates_document(fates)}


def _fates(lines: Iterable[ItemLine], touched: Iterable[Touched]) -> list[tuple[ItemLine, Touched]]:
    by_id = {each.line.id: each for each in touched}
    return [(line, by_id[line.addition.id]) for line in chosen(lines, by_id)]


def _named(name: str) -> dict[str, Scalar]:
    shown = one_line(product_name(name))
    return {"name": shown} if shown else {}
