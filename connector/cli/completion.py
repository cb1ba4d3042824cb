"""What a shell completes: product codes, tenants, firewalls and items, as the last run saw them.

Some shells evaluate what they are given, and a customer chooses a tenant's name: a word with a character
that means something to a shell is not offered at all; the tenant's id is, instead.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from connector.ledger.completion import Kind

Words = Iterator[tuple[str, str]]
Complete = Callable[[typer.Context, str], Words]

_QUOTING: dict[str, Callable[[str], str]] = {
    "complete_bash": lambda word: word.replace(" ", "\\ "),
    "complete_powershell": lambda word: f"'{word}'",
    "complete_pwsh": lambda word: f"'{word}'",
}
_SAFE = re.compile(r"[^\W_][\w ./+@,-]*")
_PLAIN = re.compile(r"[\w./+@,-]*")


class _Word(str):
    """A word as its shell takes it. Whether it goes on from what was typed was decided before it was quoted.

    Typer compares the two once more, to the letter, and would drop a quoted name, or `Alder` for `ald`.
    """

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        """Say yes: it does."""
        return True


def _completing(kind: "Kind") -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> Words:
        for word, about in _remembered(ctx, kind):
            if _begins(word, incomplete) and _SAFE.fullmatch(word):
                yield _quoted(word), about if _SAFE.fullmatch(about) else ""

    return complete


def complete_tenant(ctx: typer.Context, incomplete: str) -> Words:
    """Offer tenants by name where that is safe and theirs alone, else by id."""
    known = _remembered(ctx, "tenants")
    names = [name.casefold() for _, name in known]
    for tenant_id, name in known:
        named = bool(_SAFE.fullmatch(name)) and names.count(name.casefold()) == 1
        if named and _begins(name, incomplete):
            yield _quoted(name), tenant_id
        elif _SAFE.fullmatch(tenant_id) and (_begins(tenant_id, incomplete) if incomplete else not named):
            yield _quoted(tenant_id), name if _SAFE.fullmatch(name) else ""


complete_code = _completing("codes")
complete_serial = _completing("firewalls")
complete_item = _completing("items")


def _begins(word: str, incomplete: str) -> bool:
    return word.casefold().startswith(incomplete.casefold())


def _quoted(word: str) -> str:
    """Return a word as the shell that asks takes it; zsh and fish quote for themselves."""
    shell = next((value for name, value in os.environ.items() if name.endswith("_COMPLETE")), "")
    if _PLAIN.fullmatch(word) or shell not in _QUOTING:
        return _Word(word)
    return _Word(_QUOTING[shell](word))


def _remembered(ctx: typer.Context, kind: "Kind") -> list[tuple[str, str]]:
    from connector.errors import ConnectorError
    from connector.ledger.completion import remembered
    from connector.settings import Surroundings

    given = ctx.params.get("state") or ctx.find_root().params.get("state")
    folder = Path.cwd()
    try:
        said = Surroundings(os.environ, folder).get("CONNECTOR_STATE")
    except ConnectorError:
        said = None
    return remembered(folder / (given or said or "state"), kind)
