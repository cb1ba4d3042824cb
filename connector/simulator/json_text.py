"""JSON as the two vendors write it: exact decimals as numbers, and ConnectWise's line ends in errors."""

import json
import re
from decimal import Decimal
from typing import Any

_MARKED_NUMBER = re.compile(r'"\\u0000(-?[0-9.]+)"')


def json_text(value: object) -> str:
    """Write JSON with every Decimal as an exact number of two decimals or more, e.g. `14.00`."""
    # The C encoder cannot write a Decimal as a number, so each leaves as a marked string and loses the mark.
    text = json.dumps(value, default=_mark, ensure_ascii=False, separators=(",", ":"))
    return _MARKED_NUMBER.sub(r"\1", text)


def error_text(value: object) -> str:
    """Write JSON as ConnectWise's errors come: indented, with CRLF (section 5.1)."""
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\r\n")


def read_json(text: bytes) -> Any:
    """Read JSON without ever making a float of a number."""
    return json.loads(text, parse_float=Decimal)


def _mark(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"not JSON: {value!r}")
    text = f"{value:f}"
    whole, _, places = text.partition(".")
    return f"\0{whole}.{places.rstrip('0').ljust(2, '0')}"
