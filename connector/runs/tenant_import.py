"""A sheet of tenants -> the edits of mappings.yaml that make it so, or every fault by row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.mappings.edit import Drop, Edit, Put, Scalar
from connector.mappings.tenant_sheet import Row, SheetFlaw
from connector.model import Company, Mappings, TenantEntry
from connector.planning.customers import Customers, company_label, listed
from connector.planning.directory import Unplaced, folded
from connector.planning.resolve import NEXT_STEPS
from connector.runs.tenant_edits import named

_BARE = TenantEntry()


@dataclass(slots=True)
class Imported:
    """What a sheet comes to: its edits, or its flaws; counts and notes for people."""

    edits: list[Edit] = field(default_factory=list)
    flaws: list[SheetFlaw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("rows", "mapped", "moved", "on", "off", "named", "as_before"), 0
        )
    )


def rows_of(mappings: Mappings, names: Mapping[str, str]) -> tuple[Row, ...]:
    """Return a row for every tenant of the map and of Sophos (`names`), by name; unmapped ones to fill in."""
    rows = []
    for tenant_id in mappings.tenants.keys() | names.keys():
        entry = mappings.tenants.get(tenant_id, _BARE)
        sync = False if not entry.sync else True if _mapped(entry) else None
        name = entry.name or names.get(tenant_id, "")
        rows.append(Row(tenant_id, name, entry.company, entry.agreement, sync))
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.tenant_id)))


def import_rows(
    rows: Iterable[Row], mappings: Mappings, names: Mapping[str, str], customers: Customers
) -> Imported:
    """Compare a sheet with the map; `names` are Sophos's tenants. What the sheet leaves out stays."""
    importer = _Importer(mappings, names, customers)
    for row in rows:
        importer.take(row)
    return importer.made


class _Importer:
    """Takes row after row, and keeps what each comes to."""

    def __init__(self, mappings: Mappings, names: Mapping[str, str], customers: Customers) -> None:
        self._tenants = mappings.tenants
        self._names = names
        self._customers = customers
        self._namesakes: dict[str, list[Company]] = {}
        self.made = Imported()

    def take(self, row: Row) -> None:
        """Add a row's edits, or its fault."""
        entry = self._tenants.get(row.tenant_id)
        self.made.counts["rows"] += 1
        fault = self._fault(row, entry)
        if fault:
            self.made.flaws.append(SheetFlaw(row.number, fault))
        else:
            self._edit(row, entry)

    def _fault(self, row: Row, entry: TenantEntry | None) -> str:
        if entry is None and row.tenant_id not in self._names:
            return f"tenant id: neither Sophos nor mappings.yaml knows {row.tenant_id!r}"
        if row.company is None:
            if entry is not None and (entry.company is not None or entry.agreement is not None):
                return (
                    f"company: empty, but mappings.yaml names {entry.company or entry.agreement}; to take "
                    f"that out: connector tenants unmap {row.tenant_id}"
                )
            return "sync: true, but no company and no agreement to bill" if row.sync else ""
        place = self._place_fault(row)
        if not place:
            return ""
        if entry is not None and _says_so_already(row, entry):
            # Nobody is moved or turned on by this row, so it does not stop the others.
            if _mapped(entry) and entry.sync and row.sync is not False:
                self.made.notes.append(f"row {row.number}: as in mappings.yaml, but {place}")
            return ""
        return place

    def _place_fault(self, row: Row) -> str:
        """Say why a row's company and agreement cannot be billed through."""
        reference = row.company if row.company is not None else ""
        company = self._customers.directory.company(reference)
        if isinstance(company, Unplaced):
            return f"company: {company.message}{self._meant(reference)}"
        if row.agreement is None:
            active = self._customers.active(company)
            choices = f"; active: {listed(each.name for each in active)}" if active else ""
            return f"agreement: empty{choices}"
        agreement = self._customers.directory.agreement(company, row.agreement)
        if isinstance(agreement, Unplaced):
            return f"agreement: {agreement.message}; {NEXT_STEPS[agreement.code]}"
        return ""

    def _meant(self, reference: str | int) -> str:
        """Say what else is known of it; the sheet takes identifiers and ids only, but people write names."""
        if not self._namesakes:
            for each in self._customers.directory.companies.values():
                text = each.identifier if each.deleted else each.name
                self._namesakes.setdefault(folded(text), []).append(each)
        found = self._namesakes.get(folded(str(reference)), [])
        meant = [company_label(each) for each in found if not each.deleted]
        if meant:
            return f"; did you mean {listed(meant)}?"
        return f"; {company_label(found[0])} was deleted, or merged into another" if found else ""

    def _edit(self, row: Row, entry: TenantEntry | None) -> None:
        where = ("tenants", row.tenant_id)
        before = entry or _BARE
        values: dict[str, Scalar] = {}
        if row.company is not None and row.company != before.company:
            values["company"] = row.company
        if row.agreement is not None and row.agreement != before.agreement:
            values["agreement"] = row.agreement
        place = bool(values)
        if row.sync is False and before.sync:
            values["sync"] = False
        turned_on = row.sync is True and not before.sync
        if not values and entry is None:
            self.made.counts["as_before"] += 1
            return
        said = row.name or ("" if entry else self._names.get(row.tenant_id, ""))
        name = named(said)
        renamed = bool(name) and " ".join(before.name.split()) not in {said, name["name"]}
        if renamed:
            values = {**name, **values}
        if values:
            self.made.edits.append(Put(where, values))
        if turned_on:
            self.made.edits.append(Drop((*where, "sync")))
        self._count(
            mapped=place and not _mapped(before),
            moved=place and _mapped(before),
            on=turned_on,
            off=row.sync is False and before.sync,
            named=renamed and entry is not None,
        )

    def _count(self, **made: bool) -> None:
        for what, done in made.items():
            self.made.counts[what] += done
        self.made.counts["as_before"] += not any(made.values())


def _says_so_already(row: Row, entry: TenantEntry) -> bool:
    """Whether a row neither moves a tenant nor turns it on."""
    same = row.company == entry.company and row.agreement == entry.agreement
    return same and not (row.sync is True and not entry.sync)


def _mapped(entry: TenantEntry) -> bool:
    return entry.company is not None and entry.agreement is not None
