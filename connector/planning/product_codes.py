"""A product code as a person types it, found among those that are known."""

import difflib
from collections.abc import Iterable

from connector.errors import CommandFault

_MOST_NAMED = 5
_NEAR = 0.5


def known_code(
    text: str,
    codes: Iterable[str],
    *,
    where: str,
    next_step: str,
    kept: str = "mappings.yaml was not changed.",
) -> str:
    """Return the code that is meant: exactly, or in any case where only one is; raises CommandFault.

    `where` says where the codes come from, and `kept` what stays as it was, for people.
    """
    wanted, known = text.strip(), sorted({code for code in codes if code})
    if wanted in known:
        return wanted
    found = [code for code in known if code.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandFault(
            f"{wanted!r} may be {' or '.join(found)}. {kept}",
            "Write it in the same upper and lower case.",
        )
    near = _near(wanted, known)
    hint = f"; near: {', '.join(near)}" if near else ""
    raise CommandFault(f"No product code {wanted!r} is in {where}{hint}. {kept}", next_step)


def _near(wanted: str, known: list[str]) -> list[str]:
    folded = {code.casefold(): code for code in known}
    near = difflib.get_close_matches(wanted.casefold(), folded, n=_MOST_NAMED, cutoff=_NEAR)
    return [folded[each] for each in near]
