"""Why a night needs a person: one value for each cause (pure).

A cause has the same id each night, so that it is told once, and a fingerprint that changes when what a
person must know of it changes.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from connector.errors import ConnectorError, MappingsFault, NotPublished, RunInProgress, VendorError
from connector.model import Period
from connector.planning.causes.charges import NOTHING, Charge
from connector.planning.sources import source_option

OVERDUE = "OVERDUE"
LONGEST_ID = 80
_FIT = re.compile(rf"[A-Za-z0-9._:/-]{{1,{LONGEST_ID}}}", re.ASCII)

Seen = Literal["plan", "change", "restated", "vendor", "fault", "overdue"]
"""Where a cause shows itself, which is where one must have looked to say that it is gone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that needs a person.

    `label` names it in a word or two, `next` is the one command to type, `advice` what to do before, where
    the command is not all. `charge` is what Sophos charges for it, or by how much a bill is wrong.
    """

    id: str
    code: str
    label: str
    message: str
    next: str
    fingerprint: str
    seen: Seen
    period: Period | None = None
    source: str = ""
    charge: Charge = NOTHING
    advice: str = ""


def cause_of_error(
    error: ConnectorError, period: Period | None = None, source: str = "", *, overdue: bool = False
) -> Cause | None:
    """Return what an error needs of a person.

    That is nothing where a month that is not published is not overdue, and where another run is at it.
    """
    if isinstance(error, RunInProgress):
        return None
    seen: Seen = "fault"
    parts: tuple[str, ...] = ()
    command = "connector doctor"
    fingerprint = print_of(error.code)
    message = error.message
    if isinstance(error, NotPublished):
        if not overdue:
            return None
        seen, parts, command = "overdue", (str(period),), f"connector plan {period}{source_option(source)}"
    elif isinstance(error, VendorError):
        # Neither its words nor its status: one outage is one cause, however it shows itself.
        seen, parts = "vendor", (error.vendor,)
        fingerprint = print_of(error.code, error.vendor)
    elif isinstance(error, MappingsFault):
        faults = "; ".join(f"{each.line}:{each.column} {each.message}" for each in error.faults)
        message, fingerprint = f"{error.path} is at fault: {faults}", print_of(faults)
    elif error.exit_code == 2:
        fingerprint = print_of(error.message)
    return Cause(
        id=cause_id(error.code, *parts),
        code=error.code,
        label=" ".join(parts) or "the nightly job",
        message=message,
        next=command,
        fingerprint=fingerprint,
        seen=seen,
        period=period,
        source=source,
        advice=error.next_step,
    )


def cause_of_overdue(period: Period, source: str, why: str, advice: str = "") -> Cause:
    """Return that a month is late; what holds it up has a cause of its own."""
    return Cause(
        id=cause_id(OVERDUE, str(period)),
        code=OVERDUE,
        label=str(period),
        message=f"{period} is not billed: {why}",
        next=f"connector plan {period}{source_option(source)}",
        fingerprint=print_of(str(period)),
        seen="overdue",
        period=period,
        source=source,
        advice=advice,
    )


def once(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Return each cause once, where it was found first."""
    found: dict[str, Cause] = {}
    for cause in causes:
        found.setdefault(cause.id, cause)
    return tuple(found.values())


def cause_id(code: str, *parts: str) -> str:
    """Return an id of at most 80 plain characters, the same for the same parts and for no others."""
    text = ":".join((code, *parts))
    if _FIT.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    plainly = re.sub(r"[^A-Za-z0-9._:/-]", "-", text)
    return f"{plainly[: LONGEST_ID - 13]}:{digest}"


def print_of(*figures: object) -> str:
    """Return a fingerprint of what a person must know; it changes when one of these does."""
    return hashlib.sha256(json.dumps(figures, default=str).encode()).hexdigest()[:16]
