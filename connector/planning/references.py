"""How a command writes a record of ConnectWise into mappings.yaml, and names one in a command line."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connector.model import Reference
from connector.planning.directory import Name, folded

_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_QUOTABLE = frozenset(" #&'()*+,-./:;<=>?@[]^_{|}~")
"""What stays as it is between double quotes in sh, PowerShell and cmd, beside letters and digits."""


@dataclass(frozen=True, slots=True)
class Written:
    """What to write for a record; `why` says why it is the id, where people would expect its name."""

    value: Reference
    why: str = ""


def item_reference(
    item_id: int, identifier: str, same_name: Collection[int], remembered: Mapping[Name, int]
) -> Written:
    """Return an item's identifier, or its id where the identifier would not find this item, or not for sure.

    `same_name` are the ids of all items of that identifier, `remembered` is what texts meant (rule 9).
    """
    text = identifier.strip()
    once = remembered.get(Name("item", 0, folded(text)), item_id)
    if not text or not text.isprintable():
        return Written(item_id, f"Written as id {item_id}, for its identifier cannot be written as text.")
    if any(other != item_id for other in same_name):
        return Written(item_id, f'Written as id {item_id}, for several items are called "{text}".')
    if once != item_id:
        return Written(item_id, f'Written as id {item_id}, for "{text}" meant id {once} until now.')
    return Written(text)


def shell_word(text: str, placeholder: str) -> str:
    """Return a text as every shell reads it alike, or the placeholder where no quotes make it safe."""
    if _BARE.fullmatch(text):
        return text
    quotable = text and all(letter.isalnum() or letter in _QUOTABLE for letter in text)
    return f'"{text}"' if quotable else placeholder


def map_command(code: str, item: Reference) -> str:
    """Return the command that maps a code to an item. What no shell can be given is left as CODE or ITEM."""
    named = f"identifier:{item}" if isinstance(item, str) and _DIGITS.fullmatch(item) else str(item)
    options_end = "-- " if code.startswith("-") or named.startswith("-") else ""
    return f"connector products map {options_end}{shell_word(code, 'CODE')} {shell_word(named, 'ITEM')}"


def tenant_command(command: str, tenant_id: str) -> str:
    """Return a command on one tenant, such as `connector tenants map ID`."""
    options_end = "-- " if tenant_id.startswith("-") else ""
    return f"connector tenants {command} {options_end}{shell_word(tenant_id, 'TENANT')}"


def assign_command(serial: str) -> str:
    """Return the command that places a firewall, but for the tenant."""
    options_end = "-- " if serial.startswith("-") else ""
    return f"connector firewalls assign {options_end}{shell_word(serial, 'SERIAL')} TENANT"


def code_command(command: str, code: str) -> str:
    """Return a command on one product code, such as `connector products add CODE`."""
    options_end = "-- " if code.startswith("-") else ""
    return f"connector products {command} {options_end}{shell_word(code, 'CODE')}"
