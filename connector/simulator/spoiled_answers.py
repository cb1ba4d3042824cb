"""Wrong answers: each vendor's own error for a fault, and good payloads spoiled (kinds: faults.py)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Response

from .connectwise_answers import connectwise_error, too_many_requests
from .faults import Fault
from .json_text import json_text
from .sophos_answers import sophos_error
from .world import World

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"
TIMEOUT_TEXT = "A timeout has occured. Please try again."  # spelled so (connectwise-api.md, section 5.1)
_CONNECTWISE_ERRORS = {
    "500": (500, "ConnectWiseApi", "String was not recognized as a valid Boolean."),
    "500-timeout": (500, "ConnectWiseApi", TIMEOUT_TEXT),
    "error-after": (500, "ConnectWiseApi", TIMEOUT_TEXT),
    "401-expired-token": (401, "Unauthorized", "Incorrect public/private key"),
    "403": (403, "Security", "You do not have security permission to perform this action."),
    "409": (409, "Conflict", "The record is in use by another member."),
}
_SOPHOS_STATUS = {
    "429": 429,
    "500": 500,
    "500-timeout": 500,
    "error-after": 500,
    "503": 503,
    "403": 403,
    "409": 409,
}


def error_answer(world: World, vendor: str, fault: Fault) -> Response:
    """Answer a fault with the error this vendor would give for it."""
    if fault.kind == "redirect":
        return Response("", 302, {"Location": fault.location})
    if fault.kind == "html-200":
        return _html("<html><body>Please sign in</body></html>", 200)
    if fault.kind == "502-html":
        return _html(HTML, 502)
    if vendor == "sophos":
        response = sophos_error(world, _SOPHOS_STATUS[fault.kind])
    elif fault.kind == "429":
        seconds = fault.retry_after if isinstance(fault.retry_after, int) else None
        response = too_many_requests(seconds)
    elif fault.kind == "503":
        response = _html("<html><body>Service Unavailable</body></html>", 503)
    else:
        response = connectwise_error(*_CONNECTWISE_ERRORS[fault.kind])
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def spoil(fault: Fault, body: bytes, from_key: str | None) -> bytes | None:
    """Return a JSON payload spoiled as the fault says, or None where there is nothing to spoil."""
    if fault.kind == "truncated-json":
        return body[: len(body) // 2] or None
    try:
        payload = json.loads(body, parse_float=Decimal)
    except ValueError:
        return None
    edit = fault.edit or _EDITS[fault.kind]
    if fault.kind == "repeated-nextKey" and isinstance(payload, dict) and from_key is not None:
        payload.setdefault("pages", {})["nextKey"] = from_key
        return json_text(payload).encode()
    edited = edit(payload)
    return None if edited is None else json_text(edited).encode()


def _rows(payload: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Change the rows of a list answer, of either vendor."""
    if isinstance(payload, list) and payload:
        return change(payload)
    if isinstance(payload, dict) and payload.get("items"):
        return payload | {"items": change(payload["items"])}
    return None


def _row_twice(payload: Any) -> Any:
    return _rows(payload, lambda rows: [*rows, rows[-1]])


def _row_missing(payload: Any) -> Any:
    return _rows(payload, lambda rows: rows[:-1])


def _wrong_items(payload: Any) -> Any:
    """Claim one row more than there is; only answers with totals can."""
    if not isinstance(payload, dict) or "items" not in payload.get("pages", {}):
        return None
    pages = payload["pages"]
    return payload | {"pages": pages | {"items": pages["items"] + 1}}


def _wrong_shape(payload: Any) -> Any:
    """Turn a list into an object and an object into a list."""
    return {"unexpected": payload} if isinstance(payload, list) else [payload]


_EDITS: dict[str, Callable[[Any], Any]] = {
    "row-twice": _row_twice,
    "row-missing": _row_missing,
    "wrong-items": _wrong_items,
    "wrong-shape": _wrong_shape,
    "repeated-nextKey": lambda _: None,
}


def _html(text: str, status: int) -> Response:
    return Response(text, status, content_type="text/html")
