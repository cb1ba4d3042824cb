"""Sophos's answers: the standard error body and the pages of lists (reference/sophos-api.md, 2.2, 5.2)."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Response, request

from .json_text import json_text
from .world import World

R = TypeVar("R")
MESSAGES = {
    400: ("BadRequest", "Invalid request", "badRequest"),
    401: ("Unauthorized", None, None),
    403: ("Forbidden", None, None),
    404: ("NotFound", "Resource not found", "notFound"),
    405: ("MethodNotAllowed", "Method not allowed", None),
    409: ("Conflict", None, None),
    429: ("TooManyRequests", "Rate limit exceeded", None),
    500: ("InternalServerError", "Unexpected error", None),
    503: ("ServiceUnavailable", None, None),
}


def sophos_json(body: object, status: int = 200) -> Response:
    """Answer JSON."""
    return Response(json_text(body), status, content_type="application/json")


def sophos_error(
    world: World, status: int, message: str | None = None, retry_after: int | None = None
) -> Response:
    """Answer the standard error body, with fresh ids each time."""
    error, usual, code = MESSAGES[status]
    body: dict[str, Any] = {"error": error}
    if message or usual:
        body["message"] = message or usual
    body["correlationId"] = world.fresh_uuid()
    body["requestId"] = world.fresh_uuid()
    if code:
        body["code"] = code
        body["docUrl"] = "https://developer.sophos.com/"
    if status not in {401, 429, 503}:
        body["createdAt"] = f"{world.today}T08:00:00.000Z"
    response = sophos_json(body, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


class BadParameterError(ValueError):
    """A query parameter that Sophos cannot read: answered with 400."""


def whole_number(name: str, usual: int) -> int:
    """Read a positive whole number from the query."""
    text = request.args.get(name)
    if text is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise BadParameterError(name)
    return int(text)


def page_size(world: World, usual: int, largest: int) -> int:
    """Read `pageSize`; above the largest it is clamped or refused, which is not documented (section 11)."""
    size = whole_number("pageSize", min(usual, largest))
    if size > largest and world.oversize_pages_refused:
        raise BadParameterError("pageSize")
    return min(size, largest)


def wants_totals() -> bool:
    """Return whether the query asks to count pages and items."""
    return request.args.get("pageTotal", "").casefold() == "true"


def totals(rows: int, size: int) -> dict[str, int]:
    """Count pages and items, if the query asks for it."""
    return {"total": max(1, -(-rows // size)), "items": rows} if wants_totals() else {}


def only_fields(record: dict[str, Any]) -> dict[str, Any]:
    """Keep the fields that the query names, or all."""
    wanted = request.args.get("fields")
    if not wanted:
        return record
    return {name: record[name] for name in wanted.split(",") if name in record}


def numbered_page(
    records: Sequence[R], size: int, largest: int, written: Callable[[R], dict[str, Any]]
) -> Response:
    """Answer one page of a list paged by number (section 2.2); beyond the last page it is empty."""
    page = whole_number("page", 1)
    items = [only_fields(written(record)) for record in records[(page - 1) * size : page * size]]
    pages = {"current": page, "size": size, **totals(len(records), size), "maxSize": largest}
    return sophos_json({"items": items, "pages": pages})
