"""What a write to ConnectWise comes to: nothing that cannot be sent is, and a success shows itself."""

from collections.abc import Callable
from typing import TypeVar

from connector.errors import Nonsense, RequestRefused, VendorError
from connector.model import Addition, CatalogRecord
from connector.vendors.connectwise_json import Inexact
from connector.vendors.connectwise_session import ConnectWiseSession
from connector.vendors.connectwise_wire import DIALECT
from connector.vendors.fields import Malformed, Record, id_in
from connector.vendors.redaction import shown
from connector.vendors.transport import Answer, Call, Transport

_Sent = TypeVar("_Sent")


class NotAsAsked(VendorError):
    """A write that was answered as a success, and the answer does not show what was asked for.

    `addition` or `item` is what it showed, where that can be read; `addition_id` or `item_id` at least
    its id. `contradicted` is False where it shows nothing otherwise, but leaves something out.
    """

    code = "NOT_AS_ASKED"
    addition: Addition | None = None
    addition_id: int | None = None
    item: CatalogRecord | None = None
    item_id: int | None = None
    differences: tuple[str, ...] = ()
    contradicted: bool = True


def not_as_asked(
    transport: Transport, doing: str, differences: tuple[str, ...], where: str, answer: Answer | None = None
) -> NotAsAsked:
    """Return the error for a success that is none; `where` is what to look at in ConnectWise."""
    said = shown(transport.redact("; ".join(differences)), 500)
    request_id = answer.request_id if answer else None
    error = NotAsAsked(
        f"ConnectWise does not show what was asked for after {doing}: {said}."
        f"{f' Request id {request_id}.' if request_id else ''}",
        f"Look at that {where} in ConnectWise, then run the same command again.",
        vendor=DIALECT.vendor,
        status=answer.status if answer else None,
        request_id=request_id,
    )
    error.differences = differences
    return error


def sendable(encode: Callable[[_Sent], bytes], what: _Sent) -> bytes:
    """Return the body of an addition's write, or refuse a quantity that no JSON number holds exactly."""
    try:
        return encode(what)
    except Inexact as error:
        raise unsendable(str(error), "Look at the usage that adds up to it.") from None


def unsendable(why: str, advice: str) -> RequestRefused:
    """Return the refusal of a request that never leaves."""
    return RequestRefused(f"Nothing was sent to ConnectWise: {why}.", advice, vendor=DIALECT.vendor)


def record_after(session: ConnectWiseSession, call: Call) -> Record:
    """Return the record that the answer to a repeatable write shows, empty where it shows none."""
    try:
        document = session.send(call).document
    except Nonsense as error:
        if error.status is None or not 200 <= error.status < 300:
            raise
        return {}
    return document if isinstance(document, dict) else {}


def id_shown(record: Record) -> int | None:
    """Return the id in an answer, if there is one that a record can have."""
    try:
        return id_in(record, "id")
    except Malformed:
        return None
