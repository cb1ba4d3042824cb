"""Foreign text made fit to be shown."""

import pytest

from connector.vendors.redaction import Redactor, shown


def test_the_longest_secret_goes_first() -> None:
    redact = Redactor(("key", "key-with-more", ""))

    assert redact("key-with-more and key and nothing") == "*** and *** and nothing"


def test_a_secret_told_later_is_hidden_from_then_on() -> None:
    redact = Redactor()
    assert redact("s3cret") == "s3cret"
    redact.hide("s3cret")
    assert redact("s3cret") == "***"


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("  a\r\n\tb  ", "a b"),
        ("a\x1b[31m\x00\u202eb\ud800", r"a\x1b[31m\x00\u202eb\ud800"),
        ("x" * 301, "x" * 300 + "…"),
        ("x" * 300, "x" * 300),
        ("\x00" * 300, r"\x00" * 75 + "…"),
        ("", ""),
    ],
)
def test_text_is_one_printable_line_of_limited_length(text: str, fit: str) -> None:
    assert shown(text) == fit
