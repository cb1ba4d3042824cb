"""Read an answer's body within bounds and parse it without losing a digit."""

import json
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NoReturn

import requests
import urllib3

MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST_NUMBER = 100
_LARGEST_EXPONENT = 1000


class TooLarge(Exception):
    """The body is beyond what any honest answer needs."""


class CutShort(Exception):
    """The body ended, or failed to unpack, before it was whole."""


class TooSlow(Exception):
    """The body came in drops until patience ran out."""


def read_body(
    response: requests.Response,
    *,
    seconds: float,
    max_bytes: int = MAX_BYTES,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Return the unpacked body; the bounds count what comes out of gzip, not what went in.

    `read1` hands over what has arrived instead of waiting for a full chunk, so that a server
    that sends one byte now and then meets the clock here, and not only its own goodwill.
    """
    body = bytearray()
    deadline = clock() + seconds
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > max_bytes:
                raise TooLarge
            if clock() > deadline:
                raise TooSlow
    except urllib3.exceptions.ReadTimeoutError:
        raise TooSlow from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise CutShort(str(error)) from None
    return bytes(body)


def parse_json(body: bytes) -> object:
    """Return the document, fractions as Decimal; raises ValueError for all that is not JSON."""
    text = body.decode("utf-8-sig")
    try:
        document: object = json.loads(
            text, parse_float=_fraction, parse_int=_whole, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return document


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("it holds a number of more than 100 digits")
    return int(text)


def _fraction(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("it holds a number beyond all measure")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"it holds {text}, which is no JSON")
