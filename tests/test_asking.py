"""Questions are asked on a terminal only, on stderr, and any answer ends well."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.cli import asking

PROGRAM = """
import sys, typer
from connector.cli.asking import ask_text, can_ask, choose, confirm
try:
    answer = {call}
except typer.Abort:
    answer = "aborted"
print("<", repr(answer), ">", sep="", flush=True)
"""
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
CHOOSE = "choose('Which company?', ['Alder', 'Bir\\x1b[31mch', 'Cedar'])"
ENTER = "\r"


@contextmanager
def asked(call: str) -> Iterator[Any]:
    """A terminal on which this is asked."""
    pexpect = pytest.importorskip("pexpect")
    program = PROGRAM.format(call=call)
    child = pexpect.spawn(
        sys.executable, ["-c", program], timeout=30, encoding="utf-8", codec_errors="replace"
    )
    child.setecho(False)
    try:
        yield child
        child.read()  # its end
    finally:
        child.close(force=True)


def answered(call: str, *steps: tuple[str, str]) -> str:
    """Answer each prompt in turn and return what the program made of it."""
    with asked(call) as child:
        for prompt, said in steps:
            child.expect_exact(prompt)
            child.send(said)
        child.expect(r"<(.*)>\r\n")
        return str(child.match[1])


@posix_only
@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("2\r", "1"),
        (" 3 \r", "2"),
        ("\r", "None"),
        ("0\r", "None"),
        ("\x03", "'aborted'"),
        ("\x04", "'aborted'"),
    ],
)
def test_a_person_chooses_by_number_none_with_enter_or_leaves(said: str, chosen: str) -> None:
    assert answered(CHOOSE, ("Number (Enter for none): ", said)) == chosen


@posix_only
@pytest.mark.parametrize("nonsense", ["4", "-1", "Alder", "1.5", "\u00b2", "9" * 30, "\x1b[A"])
def test_nonsense_is_asked_again(nonsense: str) -> None:
    prompt = "Number (Enter for none): "
    assert answered(CHOOSE, (prompt, nonsense + ENTER), ("a number from 1 to 3", ""), (prompt, "1\r")) == "0"


@posix_only
@pytest.mark.parametrize(("said", "chosen"), [("\r", "1"), ("0\r", "None"), ("1\r", "0")])
def test_enter_takes_the_default_and_0_is_none(said: str, chosen: str) -> None:
    call = "choose('Which?', ['a', 'b'], default=1)"
    assert answered(call, ("Number (0 for none, Enter for 2): ", said)) == chosen


@posix_only
def test_what_is_shown_cannot_steer_the_terminal() -> None:
    with asked(CHOOSE) as child:
        child.expect_exact("Number (")
        assert "Which company?\r\n  1  Alder\r\n  2  Bir\\x1b[31mch\r\n  3  Cedar\r\n" in child.before
        assert "\x1b" not in child.before
        child.send("\x04")


@posix_only
def test_questions_go_to_stderr_and_leave_the_answer_clean(tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    program = PROGRAM.format(call=CHOOSE)
    line = f'"$0" -c "$1" > "{tmp_path / "answer"}"; echo ended'
    child = pexpect.spawn("/bin/sh", ["-c", line, sys.executable, program], timeout=30, encoding="utf-8")
    child.expect_exact("Number (Enter for none): ")
    child.send("1\r")
    child.expect_exact("ended")
    child.read()
    child.close()
    assert (tmp_path / "answer").read_text() == "<0>\n"


@posix_only
@pytest.mark.parametrize(
    ("call", "steps", "answer"),
    [
        ("ask_text('Price')", [("Price: ", " 3.50 \r")], "'3.50'"),
        ("ask_text('Price', '1.00')", [("Price [1.00]: ", "\r")], "'1.00'"),
        ("ask_text('Price')", [("Price: ", "\r")], "''"),
        ("ask_text('Name')", [("Name: ", "a\x1bb\r"), ("cannot be seen", ""), ("Name: ", "ab\r")], "'ab'"),
        ("ask_text('Name')", [("Name: ", "\x04")], "'aborted'"),
        ("confirm('Go on?')", [("Go on? [y/N]: ", "\r")], "False"),
        ("confirm('Go on?', True)", [("Go on? [Y/n]: ", "\r")], "True"),
        ("confirm('Go on?')", [("Go on? [y/N]: ", "YES\r")], "True"),
        ("confirm('Go on?', True)", [("Go on? [Y/n]: ", "n\r")], "False"),
        ("confirm('Go on?')", [("[y/N]: ", "hm\r"), ("type y or n.", ""), ("[y/N]: ", "y\r")], "True"),
        ("confirm('Go on?')", [("[y/N]: ", "\x03")], "'aborted'"),
        ("can_ask()", [], "True"),
    ],
)
def test_texts_and_confirmations_are_asked_until_they_make_sense(
    call: str, steps: list[tuple[str, str]], answer: str
) -> None:
    assert answered(call, *steps) == answer


@posix_only
def test_bytes_that_are_no_text_are_asked_again() -> None:
    call = "(sys.stdin.reconfigure(encoding='utf-8', errors='strict'), ask_text('Name'))[1]"
    with asked(call) as child:
        child.expect_exact("Name: ")
        os.write(child.child_fd, b"\xe4\xff\r")
        child.expect_exact("cannot be seen")
        child.expect_exact("Name: ")
        child.send("ab\r")
        child.expect_exact("<'ab'>")


# Nobody to ask


def test_a_stream_that_is_closed_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Screen()
    screen.close()
    monkeypatch.setattr(sys, "stdin", screen)
    assert not asking.can_ask()


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return super().isatty() or True  # which raises when closed


@pytest.mark.parametrize(
    ("stdin", "stderr"),
    [
        (io.StringIO("1\n"), _Screen()),
        (_Screen("1\n"), io.StringIO()),
        (None, _Screen()),
        (_Screen("1\n"), None),
    ],
)
def test_where_a_side_is_no_terminal_nothing_is_asked_and_nothing_chosen(
    stdin: io.StringIO | None, stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert not asking.can_ask()
    assert asking.choose("Which?", ["a"], default=0) is None
    assert asking.ask_text("Price", "1.00") == "1.00"
    assert asking.confirm("Go on?") is False
    assert asking.confirm("Go on?", default=True) is True
    assert stderr is None or stderr.getvalue() == ""
    assert stdin is None or stdin.tell() == 0
