"""Writes the mappings.yaml of a world, with comments that explain the format (contract, section 2)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .world import World

D = TypeVar("D")
Reference = str | int
"""Text is a name or identifier, a whole number an id."""
Said = Reference | bool


@dataclass(slots=True)
class Exceptional:
    """What a tenant's exception for one product says; None says nothing."""

    item: Reference | None = None
    agreement: Reference | None = None
    sync: bool | None = None


@dataclass(slots=True)
class ProductDecision:
    """What a product code is billed as; without an item it is off."""

    name: str
    item: Reference | None = None
    sync: bool | None = None
    note: str | None = None


@dataclass(slots=True)
class TenantDecision:
    """Where a tenant's usage is billed."""

    name: str
    company: Reference | None = None
    agreement: Reference | None = None
    sync: bool | None = None
    products: dict[str, Exceptional] = field(default_factory=dict)
    note: str | None = None


@dataclass(slots=True)
class Decisions:
    """Everything that mappings.yaml says about a world."""

    products: dict[str, ProductDecision] = field(default_factory=dict)
    tenants: dict[str, TenantDecision] = field(default_factory=dict)
    firewalls: dict[str, str] = field(default_factory=dict)


_HEAD = """\
# yaml-language-server: $schema=mappings.schema.json
#
# Who is billed for what: Sophos usage on the left, ConnectWise PSA on the right.
#
# The connector reads this file on every run and changes nothing that it does not name. What is not listed
# here is never billed and never guessed: a new product or tenant is reported until you decide about it.
# Faults are reported all at once, with line and column, before anything is read or written.
#
# Text or whole number: where ConnectWise is meant, text is a name or identifier as on its screens, and a
# whole number is the record's id. Quote an identifier that is all digits: item: "4711" is text, item: 4711
# is an id. What text once meant is remembered by id, so a rename in ConnectWise breaks nothing.

version: 1                   # of this format; the one line that must be here


# What to do where nothing else is said. Each line can be left out; these are the values it then has.
defaults:
  absent: zero               # usage of a mapped product has stopped:
                             #   zero = set the quantity to 0, end = end the line with the day before
                             #   the period, keep = leave it as it is and report it
  effective: period_start    # first day of a new addition:
                             #   period_start = the 1st of the month that is billed, next_invoice, today
                             #   (never before the agreement starts, or starts to bill)
  adopt: ask                 # there is already an addition for the item, made by a person:
                             #   ask = hold the change until you run with --adopt, auto = take it over,
                             #   never = leave it alone and report it
  mark: true                 # true or false: put our mark into the serial number of additions that we create
                             #   or adopt; with it, lines are found again even if the state folder is lost


# When to stop and ask. A run that would do more than this writes nothing until you say that it is right,
# e.g. with --force removals.
# Each line can be left out; these are the values it then has.
guards:
  removals: 0.30             # largest share of the managed additions that one run may zero or end
  decrease: 0.50             # largest share by which the total managed quantity may fall in one run
  at_least: 10               # both count only from this many managed additions on
  increase_factor: 10        # one addition growing by more than this factor ...
  increase_units: 50         # ... and by more than this many units is held until you release it


# What each Sophos product code is billed as. Several codes may feed one item: their quantities are added up.
#
#   name   for people; the program ignores it, so a rename by Sophos changes nothing
#   item   the ConnectWise catalog item: text = identifier, whole number = id
#   sync   true or false; false means "decided: not billed"
#   per, round, aggregate, minimum   units of another size, bundles and commitments: see README.md,
#          "Bundles and allowances". Left out: one to one, and added up
#
# A code with `sync: false`, or without an item, is off. A code that is not listed is reported as
# UNMAPPED_PRODUCT and billed to nobody until you add it here.
"""

_TENANTS = """\


# Where each Sophos tenant is billed, by tenant id. Several tenants may share one agreement.
#
#   name       for people; names never decide anything
#   company    the ConnectWise company: text = identifier, whole number = id
#   agreement  text = name of the agreement within that company, whole number = id
#   sync       true or false; false means "decided: not billed here". Left out: true
#   products   exceptions for this tenant, by product code, with one or more of
#                item: another item,  agreement: another agreement,  sync: false = not for this tenant,
#                minimum: the fewest units that are billed
#              what an exception does not say comes from above; `item` or `sync: true` also turns on for
#              this tenant what `products:` turns off
#
# A tenant that is not listed is reported as UNMAPPED_TENANT and billed to nobody until you add it here.
"""

_FIREWALLS = """\


# Serial number -> tenant id, for firewalls that Sophos cannot place. This list is asked first; after it comes
# the tenant to which Sophos Central has assigned the licence, then the one where the firewall is registered.
# A firewall found in none of them is reported as FIREWALL_UNASSIGNED. Can be left out if there are none.
"""


def mappings_text(world: "World") -> str:
    """Return the mappings.yaml that bills this world as its MSP decided."""
    decisions = world.decisions
    parts = [
        _HEAD,
        *_section("products", decisions.products, _product_lines),
        _TENANTS,
        *_section("tenants", decisions.tenants, _tenant_lines),
    ]
    if decisions.firewalls:
        parts += [_FIREWALLS, "firewalls:\n"]
        for serial, tenant_id in decisions.firewalls.items():
            tenant = decisions.tenants.get(tenant_id)
            comment = f"   # {tenant.name}" if tenant else ""
            parts.append(f"  {yaml_text(serial)}: {yaml_text(tenant_id)}{comment}\n")
    return "".join(parts)


def yaml_text(text: str) -> str:
    """Write text so that no YAML reader takes it for a number, a date, a truth value or syntax."""
    return (
        text
        if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


# Plain: begins with a letter or is a UUID, and holds nothing that means something to YAML.
_PLAIN = re.compile(r"[^\W\d_](?:[\w ./&()+-]*[\w.)+])?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def _section(name: str, entries: Mapping[str, D], lines: Callable[[D], Iterable[str]]) -> Iterable[str]:
    if not entries:
        yield f"{name}: {{}}\n"
        return
    yield f"{name}:\n"
    for key, decision in entries.items():
        yield f"  {yaml_text(key)}:\n"
        yield from lines(decision)


def _product_lines(product: ProductDecision) -> Iterable[str]:
    yield f"    name: {yaml_text(product.name)}\n"
    yield from _lines({"item": product.item, "sync": product.sync}, product.note)


def _tenant_lines(tenant: TenantDecision) -> Iterable[str]:
    yield f"    name: {yaml_text(tenant.name)}\n"
    said = {"company": tenant.company, "agreement": tenant.agreement, "sync": tenant.sync}
    yield from _lines(said, tenant.note)
    if tenant.products:
        yield "    products:\n"
    for code, exception in tenant.products.items():
        said = {"item": exception.item, "agreement": exception.agreement, "sync": exception.sync}
        words = ", ".join(f"{name}: {_scalar(value)}" for name, value in said.items() if value is not None)
        yield f"      {yaml_text(code)}: {{{words}}}\n"


def _lines(said: Mapping[str, Said | None], note: str | None) -> Iterable[str]:
    """Write what is said, one line each, with the note behind the last of them."""
    lines = [f"    {name}: {_scalar(value)}" for name, value in said.items() if value is not None]
    if note and lines:
        lines[-1] = f"{lines[-1]}   # {note}"
    return [f"{line}\n" for line in lines]


def _scalar(value: Said) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else yaml_text(value)
