"""What a person asks to have explained: a tenant, an addition or a serial number, and the lines it has."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from connector.errors import CommandFault
from connector.ledger.history import codes_seen
from connector.ledger.lineage import keys_that_name, remembered_directory
from connector.model import Key, Tenant, serial_of
from connector.planning.explanation import Asked
from connector.planning.findings import Part
from connector.planning.product_codes import known_code
from connector.planning.resolve import Placer
from connector.planning.snapshots import Snapshot
from connector.planning.states import TenantState
from connector.planning.survey import Survey
from connector.runs.explain.lines import LineTeller

_MOST_NAMED = 5
_NEAR = 0.5
_LEAST = 4
"""So many letters of an id can be meant as one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained; `told` names it, and `lines` are those that the ledger knows of it, by id."""

    told: str
    lines: dict[int, Key]
    tenants: frozenset[str] = frozenset()
    product: str | None = None
    serial: str | None = None
    unknown: int | None = field(default=None)
    """An addition that only ConnectWise can know."""

    def asks(self, part: Part) -> bool:
        """Whether a part is what was asked for."""
        if self.serial is not None:
            return self.serial in part.serials
        return part.tenant_id in self.tenants and self.product in {None, part.product_code}


def subject_of(asked: Asked, teller: LineTeller, base: Snapshot) -> Subject:
    """Return what is meant; raises CommandFault where nothing is known of it."""
    if asked.addition is not None:
        stored = teller.stored.get(asked.addition)
        told = f"Addition {asked.addition}"
        if stored is None:
            return Subject(told, {}, unknown=asked.addition)
        return Subject(told, {stored.id: stored.key})
    if asked.serial is not None:
        return _serial(serial_of(asked.serial), teller, base)
    return _tenant(asked.tenant or "", asked.product, teller, base)


def unknown_addition(addition_id: int, known: Iterable[int], note: str = "") -> CommandFault:
    """Return the error for an addition that nobody knows, with those of nearly the same id.

    `note` says where nobody could look for it.
    """
    listed = [str(each) for each in sorted(set(known))]
    return CommandFault(
        f"Nothing is known of addition {addition_id}{_near(str(addition_id), listed)}."
        + (f" {note}" if note else ""),
        "Ask for its tenant: connector explain TENANT",
    )


def _tenant(text: str, product: str | None, teller: LineTeller, base: Snapshot) -> Subject:
    mappings = teller.now.mappings
    listed = {tenant.id: tenant for tenant in teller.tenants}
    for line in teller.stored.values():
        for part in line.parts:
            listed.setdefault(part.tenant_id, Tenant(part.tenant_id, "", ""))
    placer = Placer(mappings, remembered_directory(teller.ledger, mappings, teller.today))
    rows = tuple(row for _, row in teller.rows(base.number))
    found = _found(text, Survey(rows, tuple(listed.values()), (), placer, {}))
    code = None
    if product is not None:
        codes = {*codes_seen(teller.ledger), *mappings.products}
        where = "usage that is stored"
        code = known_code(product, codes, where=where, next_step="See: connector usage", kept="Look again.")
    told = f"{found.label}, {code}" if code is not None else found.label
    subject = Subject(told, {}, frozenset({found.id}), code)
    subject.lines.update(_lines_of(found.id, subject.asks, teller))
    return subject


def _found(text: str, survey: Survey) -> TenantState:
    """Return the tenant of an id or a name, or the only one whose id begins so, as labels have it."""
    try:
        return survey.tenant(text)
    except CommandFault:
        begun = text.strip().casefold()
        near = [each for each in survey.tenant_states() if each.id.startswith(begun)]
        if len(begun) < _LEAST or not near:
            raise
        if len(near) == 1:
            return near[0]
        listed = ", ".join(f"{each.name} ({each.id})" for each in near[:_MOST_NAMED])
        more = ", ..." if len(near) > _MOST_NAMED else ""
    raise CommandFault(
        f"{len(near)} tenants have an id that begins with {begun!r}: {listed}{more}.",
        "Give the whole id of the right one.",
    )


def _serial(serial: str, teller: LineTeller, base: Snapshot) -> Subject:
    subject = Subject(f"Serial {serial}", {}, serial=serial)
    subject.lines.update(_lines_of(serial, subject.asks, teller))
    known = {row.serial for _, row in teller.rows(base.number) if row.serial}
    known |= {*teller.serials, *teller.now.mappings.firewalls}
    if serial not in known and not subject.lines:
        raise CommandFault(
            f"No usage, firewall or line has the serial number {serial!r}{_near(serial, sorted(known))}.",
            "Copy it from: connector firewalls",
        )
    return subject


def _lines_of(text: str, wanted: Callable[[Part], bool], teller: LineTeller) -> dict[int, Key]:
    """Return the lines that `wanted` parts feed or have fed; `text` is written in all of these."""
    lines = {line.id: line.key for line in teller.stored.values() if any(map(wanted, line.parts))}
    for key in keys_that_name(teller.ledger, text):
        for change in teller.changes(key):
            if change.addition_id is not None and any(map(wanted, (*change.parts, *change.was))):
                lines[change.addition_id] = key
    return lines


def _near(wanted: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=_MOST_NAMED, cutoff=_NEAR)
    return f"; near: {', '.join(near)}" if near else ""
