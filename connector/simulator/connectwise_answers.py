"""ConnectWise's answers: JSON and the error shapes (reference/connectwise-api.md, section 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response

from .json_text import error_text, json_text

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fault400:
    """One entry of `errors`."""

    code: str
    message: str
    field: str


class InvalidObjectError(Exception):
    """A record that does not pass validation: 400 with one entry for each fault."""

    def __init__(self, resource: str, faults: Sequence[Fault400]) -> None:
        super().__init__(f"{resource} object is invalid")
        self.resource = resource
        self.faults = faults


class BadRequestError(Exception):
    """A query that the server cannot follow: 400; the code is not documented (section 3)."""


class WrongTypeError(Exception):
    """A value of the wrong JSON type, which is the client's mistake and yet answered with 500."""

    def __init__(self, value: object, kind: str, path: str) -> None:
        super().__init__(
            f"Error converting value {value!r} to type '{kind}'. Path '{path}', line 1, position 1."
        )


class NotFoundError(Exception):
    """No record of this id: 404."""


def connectwise_json(body: object, status: int = 200) -> Response:
    """Answer JSON."""
    return Response(json_text(body), status, content_type=JSON)


def connectwise_error(status: int, code: str, message: str) -> Response:
    """Answer an error without entries."""
    body = {"code": code, "message": message, "errors": None}
    return Response(error_text(body), status, content_type=JSON)


def invalid_object(error: InvalidObjectError) -> Response:
    """Answer a validation error with all of its entries."""
    entries = [
        {
            "code": fault.code,
            "message": fault.message,
            "resource": error.resource,
            "field": fault.field,
            "details": None,
        }
        for fault in error.faults
    ]
    body = {"code": "InvalidObject", "message": str(error), "errors": entries}
    return Response(error_text(body), 400, content_type=JSON)


def too_many_requests(retry_after: int | None) -> Response:
    """Answer 429, whose body says `error` where others say `code`."""
    seconds = 30 if retry_after is None else retry_after
    message = f"Too many requests. Please try again in {seconds} seconds."
    body = error_text({"error": "ConnectWiseAPI", "message": message})
    response = Response(body, 429, content_type=JSON)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
