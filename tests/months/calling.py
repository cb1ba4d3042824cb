"""Calls the connector as a user does: in this process, or as a process of its own."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from months.msp import Msp
from typer.main import get_command
from typer.testing import CliRunner

from connector.cli.app import app
from connector.simulator import Request, Simulator

COMMANDS = get_command(app)
"""Built once: building the tree of commands takes longer than most commands do."""

OURS = ("SOPHOS_", "CONNECTWISE_", "CONNECTOR_")
ELSEWHERE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
ADDITIONS = re.compile(r".*/finance/agreements/\d+/additions(/\d+)?")
TICKETS = re.compile(r".*/service/tickets(/\d+(/notes)?)?")
CATALOG = re.compile(r".*/procurement/catalog(/\d+)?")
PATCHED = {"quantity", "cancelledDate", "serialNumber"}
CREATED = {"product", "quantity", "billCustomer", "effectiveDate", "serialNumber"}
PRICES = {"unitPrice", "unitCost"}
SECRETS = {"SOPHOS_CLIENT_SECRET", "CONNECTWISE_PUBLIC_KEY", "CONNECTWISE_PRIVATE_KEY"}
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


def is_ours(name: str) -> bool:
    """Whether a variable would change what the connector does."""
    return name.upper().startswith(OURS) or name.upper() in ELSEWHERE


@dataclass(frozen=True)
class Result:
    """What one command answered, and what it asked of the vendors meanwhile."""

    exit_code: int
    stdout: str
    stderr: str
    requests: Sequence[Request] = ()

    @cached_property
    def json(self) -> Any:
        """Return the one JSON document on stdout."""
        return json.loads(self.stdout)

    @property
    def writes(self) -> list[Request]:
        """The requests that would change ConnectWise."""
        return [it for it in self.requests if it.vendor == "connectwise" and it.method in WRITES]

    @property
    def bodies(self) -> list[tuple[str, Any]]:
        """Method and body of each write."""
        return [(write.method, write.body) for write in self.writes]

    @property
    def changes(self) -> list[tuple[str, str | None, str]]:
        """Kind, before and after of each planned change."""
        return [(it["kind"], it["before"], it["after"]) for it in self.json["changes"]]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Kind and outcome of each change of a run."""
        return [(it["kind"], it["outcome"]) for it in self.json["outcomes"]]

    @property
    def held(self) -> list[str]:
        """The codes of held changes."""
        listed = self.json["changes"] if "changes" in self.json else self.json["outcomes"]
        return [it["held"] for it in listed if it["held"] is not None]

    @property
    def unresolved(self) -> list[str]:
        """The codes of what is unresolved."""
        return [it["code"] for it in self.json["unresolved"]]

    @property
    def warnings(self) -> list[str]:
        """The codes of the warnings."""
        return [it["code"] for it in self.json["warnings"]]

    @property
    def guards(self) -> list[str]:
        """The names of the guards that refuse."""
        return [it["name"] for it in self.json["guards"]]


@dataclass
class Run:
    """Runs commands in a folder against a simulator, and keeps what they said for a last look."""

    simulator: Simulator
    msp: Msp
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    settings: dict[str, str | None] = field(default_factory=dict)
    """Settings to give otherwise than the simulator does; None leaves one out."""
    mappings_text: str | None = None
    """A mappings.yaml to use instead of the MSP's."""
    map_kept: bool = False
    """Leave mappings.yaml as the commands left it, for tests of commands that edit it."""
    catalog_written: bool = False
    """Whether a command was asked to write to the catalog of ConnectWise."""
    tickets_written: bool = False
    """Whether the map asked for tickets."""
    prices_ruled: bool = False
    """Whether a map had a rule that may own prices."""
    said: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def __call__(self, *args: str, **settings: str | None) -> Result:
        """Run a command with --json; its stdout must be one document and nothing else."""
        result = self.text(*args, "--json", **settings)
        assert isinstance(result.json, dict), result.stdout
        return result

    def text(self, *args: str, **settings: str | None) -> Result:
        """Run a command as it is."""
        self.prepare()
        before = len(self.simulator.requests)
        environment = {name: None for name in os.environ if is_ours(name)} | self.environment(settings)
        with self.monkeypatch.context() as patched:
            patched.chdir(self.folder)
            for name, value in environment.items():
                if value is None:
                    patched.delenv(name, raising=False)
                else:
                    patched.setenv(name, value)
            patched.setattr("typer.testing._get_command", lambda _: COMMANDS)
            timeout = environment.get("CONNECTOR_TIMEOUT")
            if timeout is not None:  # who is not to wait long for answers is not to wait for lost ones
                patched.setattr("connector.runs.session.IN_FLIGHT_SECONDS", min(10.0, float(timeout)))
            done = CliRunner().invoke(app, args)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return self.noted(Result(done.exit_code, done.stdout, done.stderr, self.simulator.requests[before:]))

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    def environment(self, settings: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the settings of one command."""
        return {**self.simulator.settings(), **self.settings, **settings}

    def prepare(self) -> None:
        """Write mappings.yaml as it is now."""
        if self.map_kept:
            return
        text = self.msp.text() if self.mappings_text is None else self.mappings_text
        self.prices_ruled = self.prices_ruled or "pricing:" in text
        (self.folder / "mappings.yaml").write_text(text, encoding="utf-8")

    def noted(self, result: Result) -> Result:
        """Keep what was said, and the secrets that were about."""
        world = self.msp.world
        basic = f"{world.company_login}+{world.public_key}:{world.private_key}"
        given = {name: value for name, value in self.settings.items() if name in SECRETS}
        self.secrets |= {value for value in given.values() if value}
        self.secrets |= {
            world.sophos_client_secret,
            world.private_key,
            world.public_key,
            base64.b64encode(basic.encode()).decode(),
            *world.tokens,
        }
        self.said += [result.stdout, result.stderr]
        return result

    def check(self) -> None:
        """Make sure that nothing was ever sent, said or kept that must not be (rule 20, section 1)."""
        for request in self.simulator.requests:
            if request.vendor == "connectwise" and request.method in WRITES:
                if (self.catalog_written and CATALOG.fullmatch(request.path)) or (
                    self.tickets_written and TICKETS.fullmatch(request.path)
                ):
                    assert request.method in {"POST", "PATCH"}, f"{request.method} {request.path}"
                else:
                    check_write(request, PRICES if self.prices_ruled else set())
        for text in self.said:
            raw = [
                letter for letter in text if letter != "\n" and (ord(letter) < 32 or 127 <= ord(letter) < 160)
            ]
            assert not raw, f"raw control characters {raw} in {text!r}"
        kept = b"".join(path.read_bytes() for path in sorted(self.state.rglob("*")) if path.is_file())
        for secret in self.secrets:
            assert secret.encode() not in kept, "a secret is in the state folder"
            assert not any(secret in text for text in self.said), "a secret was printed"


def check_write(request: Request, prices: AbstractSet[str] = frozenset()) -> None:
    """Make sure that a write is one of the two that are allowed, and sets only what is ours.

    `prices` are the fields that price rules may own beside that.
    """
    assert ADDITIONS.fullmatch(request.path), f"{request.method} {request.path}"
    assert request.method in {"POST", "PATCH"}, f"{request.method} {request.path}"
    if (request.body, request.status) == (None, 400):
        return  # several leave together: a kill may cut one off while it is sent, and nothing is made of it
    if request.method == "POST":
        assert set(request.body) <= CREATED | prices, request.body
        assert {"product", "quantity", "billCustomer", "effectiveDate"} <= set(request.body), request.body
        assert set(request.body["product"]) == {"id"}, request.body
    else:
        assert {operation["path"] for operation in request.body} <= PATCHED | prices, request.body
        assert {operation["op"] for operation in request.body} == {"replace"}, request.body


@dataclass
class Processes:
    """Starts commands as processes of their own, and ends them with the test."""

    run: Run
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *args: str, **settings: str | None) -> Result:
        """Run a command to its end."""
        before = len(self.run.simulator.requests)
        process = self.start(*args, **settings)
        stdout, stderr = process.communicate(timeout=60)
        after = self.run.simulator.requests[before:]
        return self.run.noted(Result(process.returncode, stdout, stderr, after))

    def start(self, *args: str, **settings: str | None) -> subprocess.Popen[str]:
        """Start a command and go on."""
        self.run.prepare()
        mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
        ours = {name: value for name, value in self.run.environment(settings).items() if value is not None}
        with_sigint = signal.getsignal(signal.SIGINT)
        if with_sigint is signal.SIG_IGN:  # as in a background job; a child would ignore Ctrl-C, too
            signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", *args],
            cwd=self.run.folder,
            env={**mine, **ours, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        signal.signal(signal.SIGINT, with_sigint)
        self.started.append(process)
        return process

    def killed_at(self, method: str, number: int, *, committed: bool, command: str = "sync") -> Result:
        """Run a command whose process is killed at its n-th write of a method, before or after it counts."""
        seen: list[int] = []
        process: list[subprocess.Popen[str]] = []

        def kill(vendor: str, sent: str, _path: str, request: int) -> None:
            if vendor == "connectwise" and sent == method:
                seen.append(request)
                if len(seen) == number:
                    process[0].send_signal(signal.SIGKILL)
                    process[0].wait()

        simulator = self.run.simulator
        before = len(simulator.requests)
        if committed:
            simulator.after_commit = kill
        else:
            simulator.before_request = kill
        process.append(self.start(command))
        stdout, stderr = process[0].communicate(timeout=60)
        simulator.before_request = simulator.after_commit = None
        return self.run.noted(Result(process[0].returncode, stdout, stderr, simulator.requests[before:]))

    def end(self) -> None:
        """End whatever still runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
