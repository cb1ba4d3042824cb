"""A zip for a ticket: all that support needs, no secret, and with --anonymous no name (issue 6)."""

import json
import os
import re
import sqlite3
import stat
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from months.calling import Result, Run
from months.msp import ENDPOINT, Msp

from connector.cli.invocation import who_runs
from connector.simulator.mapping_text import mappings_text
from connector.simulator.small import small_world
from connector.simulator.sophos_records import Contact

FIREWALL, SPARE = "DEMO-XGS107-XSP-MSP", "X1C7SPARE04"
CONTACT = Contact("Ada", "Quill", "ada@alder-dental.example", "5 Ledger Lane", "Corkington", "IE", "T12 X0X0")


@dataclass(frozen=True)
class Zip:
    """A bundle, unpacked."""

    texts: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Zip":
        """Unpack every file of it."""
        with zipfile.ZipFile(path) as packed:
            assert packed.testzip() is None
            return cls({name: packed.read(name).decode("utf-8") for name in packed.namelist()})

    def json(self, name: str) -> Any:
        """Return a document."""
        return json.loads(self.texts[name])

    def has(self, text: str) -> list[str]:
        """Return the files that hold a text, in any case, also as JSON writes it; or whose name does."""
        forms = {text.casefold(), json.dumps(text)[1:-1].casefold()}
        return [
            name
            for name, content in self.texts.items()
            for form in forms
            if form in f"{name}\n{content}".casefold()
        ]


def bundled(
    run: Run, name: str = "ticket.zip", *arguments: str, **settings: str | None
) -> tuple[Result, Zip]:
    """Make a bundle; it asks nobody."""
    done = run("support-bundle", name, *arguments, **settings)
    assert (done.exit_code, list(done.requests)) == (0, [])
    return done, Zip.read(run.folder / name)


@pytest.fixture
def lived(msp: Msp, run: Run) -> Run:
    """An installation with a past: billed, refused, unresolved, held, with logs and comments."""
    world = msp.world
    alder = msp.customer("AlderDental", {"CIXA-MSP": 14})
    birch = msp.customer("Birch & Söhne", {"CIXA-MSP": 5, "NEW-MSP": 2})
    world.agreements[birch.agreement.id].name = "Rundum-Paket"
    birch.entry["agreement"] = birch.agreement.id
    birch.uses("CIXA-MSP", 5)
    birch.has(ENDPOINT, 3)
    birch.has(ENDPOINT, 2)
    stranger = world.add_tenant("Kapok Studios", contact=CONTACT)
    world.use(msp.period, stranger.id, "CIXA-MSP", 3)
    msp.maps(FIREWALL, "SOPHOS-XGS107")
    msp.firewall(SPARE, FIREWALL)
    run.mappings_text = (
        f"# Kapok Studios (Ada's shop) waits; AlderDental asked twice; its id is {alder.tenant}.\n"
        + msp.text().replace("name: AlderDental", "name: 'AlderDental'  # see AlderDental's contract")
        + f"firewalls:\n  {SPARE}: {alder.tenant}\n"
    )
    run("sync")
    run("plan")
    (run.folder / "logs").mkdir()
    (run.folder / "logs" / "connector.log").write_text(
        f"read Kapok Studios from {run.folder}\nsent {world.private_key} to AlderDental\n", encoding="utf-8"
    )
    logs = run.state / "logs"
    logs.mkdir()
    line = json.dumps({"event": "read", "company": "Birch & Söhne", "id": stranger.id, "key": "Söhne"})
    (logs / "run.jsonl").write_text(f"{line}\n", encoding="utf-8")
    (logs / "run.jsonl.gz").write_bytes(b"\x1f\x8b")
    run.noted(Result(0, "", ""))
    return run


def test_a_bundle_holds_what_support_needs(lived: Run) -> None:
    done, found = bundled(lived)

    assert done.json["schema"] == "connector.support-bundle/1"
    assert done.json["members"] == list(found.texts)
    assert done.json["bytes"] == (lived.folder / "ticket.zip").stat().st_size
    assert found.json("manifest.json")["faults"] == done.json["faults"] == []
    plans = [name for name in found.texts if name.startswith("plans/")]
    assert [name for name in found.texts if name not in plans] == [
        *["README.txt", "manifest.json", "versions.json", "settings.json", "mappings.yaml"],
        *["ledger-check.json", "runs.json", "snapshots.json", "logs/01.log", "logs/02.log", "logs.json"],
    ]
    runs = found.json("runs.json")["runs"]
    assert [(each["id"], each["kind"], each["exit_code"]) for each in runs] == [
        (2, "plan", 3),
        (1, "sync", 3),
    ]
    assert [(change["kind"], change["outcome"]) for change in runs[1]["changes"]] == [("create", "done")] * 2
    assert found.json(plans[0])["document"]["schema"] == "connector.plan/1"
    (snapshot,) = found.json("snapshots.json")["snapshots"]
    assert (snapshot["period"], snapshot["rows"]) == ("2026-10", 5)
    assert found.texts["mappings.yaml"] == lived.mappings_text
    assert found.json("ledger-check.json") == {"findings": []}
    assert {each["name"] for each in found.json("logs.json")["logs"]} == {"connector.log", "run.jsonl"}
    assert found.json("versions.json")["python"] == sys.version
    assert "requests" in found.json("versions.json")["libraries"]


@pytest.mark.parametrize("mode", [[], ["--anonymous"]])
def test_no_secret_and_no_contact_person_is_in_a_bundle(lived: Run, mode: list[str]) -> None:
    _, found = bundled(lived, "ticket.zip", *mode)

    assert len(lived.secrets) > 4
    world = lived.msp.world
    for secret in {
        *lived.secrets,
        world.sophos_client_id,
        lived.simulator.settings()["CONNECTWISE_CLIENT_ID"],
    }:
        assert found.has(secret) == []
    for private in ("Quill", CONTACT.email, "Ledger Lane", "Corkington", "T12 X0X0"):
        assert found.has(private) == []
    assert any("sent ***" in text for text in found.texts.values())


def test_an_anonymous_bundle_names_nobody(lived: Run) -> None:
    _, found = bundled(lived, "ticket.zip", "--anonymous")
    _, named = bundled(lived, "named.zip")

    world = lived.msp.world
    user, _, host = who_runs().rpartition("@")
    names = {
        *(tenant.id for tenant in world.tenants.values()),
        *(tenant.id[:8] for tenant in world.tenants.values()),
        *(tenant.name for tenant in world.tenants.values()),
        *(company.identifier for company in world.companies.values()),
        *(company.name for company in world.companies.values()),
        *(agreement.name for agreement in world.agreements.values()),
        *world.firewalls,
        world.company_login,
        str(lived.folder),
        f"{user}@{host}",
    }
    assert {name: found.has(name) for name in names if found.has(name)} == {}
    told = {name for name in names if named.has(name)}
    assert {"Kapok Studios", "AlderDental", "Birch & Söhne", "Rundum-Paket", SPARE, f"{user}@{host}"} <= told


def test_numbers_and_codes_stay_in_an_anonymous_bundle(lived: Run) -> None:
    _, found = bundled(lived, "ticket.zip", "--anonymous")
    _, named = bundled(lived, "named.zip")

    for changes in (each.json("runs.json")["runs"][1]["changes"] for each in (found, named)):
        assert [(change["after"], change["item_id"]) for change in changes] == [
            ("14", 1001),
            ("1", 1003),
        ] or [change["after"] for change in changes] == ["14", "1"]
    plan = next(name for name in found.texts if name.startswith("plans/"))
    codes = [entry["code"] for entry in found.json(plan)["document"]["unresolved"]]
    assert sorted(set(codes)) == ["DUPLICATE_ADDITIONS", "UNMAPPED_PRODUCT", "UNMAPPED_TENANT"]
    assert found.has("NEW-MSP")
    assert found.has("SOPHOS-ENDPOINT")


def test_an_anonymous_map_is_yaml_of_the_same_shape(lived: Run) -> None:
    _, found = bundled(lived, "ticket.zip", "--anonymous")

    text = found.texts["mappings.yaml"]
    said, was = yaml.safe_load(text), yaml.safe_load(lived.mappings_text or "")
    assert said["products"] == was["products"]
    first, second = said["tenants"].values()
    assert re.fullmatch(r"tenant-[0-9a-f]{10}", first["company"])
    assert first["name"] == first["company"]
    assert second["agreement"] == next(reversed(was["tenants"].values()))["agreement"]
    ((serial, tenant),) = said["firewalls"].items()
    assert (serial.partition("-")[0], tenant) == ("serial", next(iter(said["tenants"])))
    assert re.match(r"# tenant-[0-9a-f]{10} \(Ada's shop\) waits; tenant-", text)
    assert text.count("#") == (lived.mappings_text or "").count("#")


def test_one_name_has_one_alias_in_every_bundle_of_an_installation(lived: Run) -> None:
    _, first = bundled(lived, "first.zip", "--anonymous")
    lived("plan")
    _, second = bundled(lived, "second.zip", "--anonymous")
    key = lived.state / "alias.key"

    assert first.texts["mappings.yaml"] == second.texts["mappings.yaml"]
    assert second.has(key.read_text(encoding="ascii").strip()) == []
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    _, third = bundled(lived, "third.zip", "--anonymous")
    assert third.texts["mappings.yaml"] != first.texts["mappings.yaml"]


def test_a_key_that_cannot_be_read_gives_aliases_for_once(lived: Run) -> None:
    (lived.state / "alias.key").write_text("no key", encoding="ascii")
    done, _ = bundled(lived, "first.zip", "--anonymous")
    (lived.state / "alias.key").write_text("abcd", encoding="ascii")
    again, _ = bundled(lived, "second.zip", "--anonymous")

    for each in (done, again):
        assert [fault for fault in each.json["faults"] if "the next bundle has other aliases" in fault]


def test_the_map_of_the_demo_names_nobody(run: Run) -> None:
    world = small_world()
    run.mappings_text = mappings_text(world)

    _, found = bundled(run, "ticket.zip", "--anonymous")

    names = {tenant.name.strip() for tenant in world.tenants.values()} | set(world.tenants)
    names |= {company.identifier for company in world.companies.values()} | set(world.firewalls)
    held = {name for name in names if name in run.mappings_text}
    assert len(held) > 20
    assert {name: found.has(name) for name in held if found.has(name)} == {}
    assert yaml.safe_load(found.texts["mappings.yaml"])["products"]


def test_names_in_every_part_of_the_map_are_replaced(run: Run) -> None:
    run.mappings_text = (
        "version: 1\n"
        "import:\n"
        "  columns: {customer: Customer}\n"
        "  tenants: {Quince Bakery: 223c98b5-d39e-4c60-afde-892a53de496c}\n"
        "tenants:\n"
        "  223c98b5-d39e-4c60-afde-892a53de496c:\n"
        '    name: "Medlar\\tGames"\n'
        "    company: Medlar_Co\n"
        "    agreement: >-\n"
        "      Full\n"
        "      Service\n"
        "    products:\n"
        "      CIXA-MSP: {agreement: Side Deal, item: SOPHOS-ENDPOINT}\n"
        "extra: [Side Deal, *x, {? [a] : Quince Bakery}]\n"
    ).replace("*x", "plain")
    done, found = bundled(run, "ticket.zip", "--anonymous")

    for name in ("Quince", "Medlar", "Full", "Side Deal", "223c98b5"):
        assert found.has(name) == []
    said = yaml.safe_load(re.split(r"^name-", found.texts["mappings.yaml"], flags=re.MULTILINE)[0])
    (tenant,) = said["tenants"]
    assert said["import"]["columns"] == {"customer": "Customer"}
    assert list(said["import"]["tenants"].values()) == [tenant]
    assert said["tenants"][tenant]["products"]["CIXA-MSP"]["item"] == "SOPHOS-ENDPOINT"
    assert re.fullmatch(r"agreement-[0-9a-f]{10}", said["tenants"][tenant]["agreement"])
    assert any("mappings.yaml has" in fault for fault in done.json["faults"])


# When things are at fault -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [[], ["--anonymous"]])
def test_without_map_and_state_it_says_so_inside(run: Run, mode: list[str]) -> None:
    run.map_kept = True

    done, found = bundled(run, "a ticket.zip", *mode)

    faults = found.json("manifest.json")["faults"]
    assert any("mappings.yaml" in fault and "No such file" in fault for fault in faults)
    assert any("There is no ledger" in fault for fault in faults)
    assert len(done.json["faults"]) == len(faults)
    assert not run.state.exists()
    assert [name for name in found.texts if name.endswith(".json")] == [
        "manifest.json",
        "versions.json",
        "settings.json",
    ]


def test_a_map_at_fault_is_packed_with_its_faults(run: Run) -> None:
    run.mappings_text = "version: 1\ntenants:\n  alder-id: {name: Alder Dental, compny: 'Elder Dental'}\n"

    done, found = bundled(run)
    _, anonymous = bundled(run, "anonymous.zip", "--anonymous")

    (fault,) = found.json("mappings-faults.json")["faults"]
    assert (fault["line"], "compny" in fault["message"]) == (3, True)
    assert any("mappings-faults.json" in each for each in done.json["faults"])
    assert (anonymous.has("Alder Dental"), anonymous.has("Elder Dental")) == ([], [])
    assert anonymous.json("mappings-faults.json")["faults"][0]["line"] == 3


@pytest.mark.parametrize("broken", ["{Alder Dental: [", "[" * 100_000])
def test_a_map_that_is_no_yaml_is_left_out_of_an_anonymous_bundle(run: Run, broken: str) -> None:
    run.mappings_text = f"version: 1\n# Alder Dental\ntenants: {broken}\n"

    _, found = bundled(run)
    done, anonymous = bundled(run, "anonymous.zip", "--anonymous")

    assert found.texts["mappings.yaml"] == run.mappings_text
    assert "mappings.yaml" not in anonymous.texts
    assert anonymous.has("Alder Dental") == []
    assert any("is no YAML" in fault for fault in done.json["faults"])
    assert any("is no YAML" in fault for fault in anonymous.json("manifest.json")["faults"])


def test_a_damaged_ledger_is_a_finding(run: Run) -> None:
    run.state.mkdir()
    (run.state / "connector.db").write_bytes(b"this is no database, and it is longer than a header" * 40)

    done, found = bundled(run)

    assert any("cannot be used" in fault for fault in done.json["faults"])
    assert found.json("runs.json") == {"runs": []}


def test_a_state_from_before_these_tables_gives_what_it_has(lived: Run) -> None:
    database = sqlite3.connect(lived.state / "connector.db")
    database.execute("DROP TABLE failed_rows")
    database.execute("UPDATE changes SET parts = '{'")
    database.commit()
    database.close()

    done, found = bundled(lived, "ticket.zip", "--anonymous")

    assert any("failed_rows" in fault for fault in done.json["faults"])
    assert found.json("runs.json")["runs"][1]["changes"][0]["parts"] == "{"
    assert found.json("ledger-check.json")["findings"]


def test_an_env_file_at_fault_leaves_its_secrets_out(lived: Run) -> None:
    (lived.folder / ".env").write_text(
        "this is no setting\nSOPHOS_CLIENT_SECRET='from-the-file'\n", encoding="utf-8"
    )
    (lived.folder / "logs" / "connector.log").write_text("tried from-the-file\n", encoding="utf-8")

    done, found = bundled(lived, CONNECTWISE_PRIVATE_KEY=None)

    assert any(".env, line 1" in fault for fault in done.json["faults"])
    assert found.has("from-the-file") == []
    assert found.has("tried ***")
    assert {"sync", "plan"} == {each["kind"] for each in found.json("runs.json")["runs"]}


def test_settings_say_where_they_are_set_and_never_what_a_secret_is(run: Run) -> None:
    (run.folder / "secret.txt").write_text("from-a-file", encoding="utf-8")
    (run.folder / ".env").write_text(
        "CONNECTWISE_PUBLIC_KEY_FILE=secret.txt\nCONNECTWISE_PRIVATE_KEY_FILE=missing.txt\nCONNECTOR_TIMEOUT=5\n",
        encoding="utf-8",
    )
    done, found = bundled(
        run,
        CONNECTWISE_PUBLIC_KEY=None,
        CONNECTWISE_PRIVATE_KEY=None,
        SOPHOS_CLIENT_SECRET=None,
        CONNECTWISE_URL="https://jane:pass@psa.example:8443/v4/apis/3.0?token=t0ken",
        SOPHOS_API_URL="https://[::1",
        SOPHOS_AUTH_URL="https://id.sophos.com/api",
    )

    said = {each["setting"]: each for each in found.json("settings.json")["settings"]}
    assert said["CONNECTWISE_URL"]["value"] == "https://psa.example:8443/v4/apis/3.0"
    assert said["SOPHOS_API_URL"]["value"] == "(no URL)"
    assert said["SOPHOS_CLIENT_ID"]["where"] == "SOPHOS_CLIENT_ID in the environment"
    assert said["SOPHOS_CLIENT_ID"]["value"] is None
    assert said["SOPHOS_CLIENT_SECRET"]["set"] is False
    assert said["CONNECTWISE_PUBLIC_KEY"]["where"] == "CONNECTWISE_PUBLIC_KEY_FILE in .env"
    assert said["CONNECTOR_TIMEOUT"] == {
        "setting": "CONNECTOR_TIMEOUT",
        "set": True,
        "where": "CONNECTOR_TIMEOUT in .env",
        "value": "5",
    }
    assert any("missing.txt" in fault for fault in done.json["faults"])
    for secret in ("jane", "pass@", "t0ken", "from-a-file"):
        assert found.has(secret) == []


def test_an_own_host_is_a_name_and_a_public_one_is_not(run: Run) -> None:
    _, found = bundled(
        run,
        "ticket.zip",
        "--anonymous",
        CONNECTWISE_URL="psa.alder-dental.example/v4",
        SOPHOS_AUTH_URL="https://id.sophos.com/api",
        CONNECTOR_STATE="Alder's state",
    )

    said = {each["setting"]: each["value"] for each in found.json("settings.json")["settings"]}
    assert re.fullmatch(r"host-[0-9a-f]{10}/v4", said["CONNECTWISE_URL"])
    assert said["SOPHOS_AUTH_URL"] == "https://id.sophos.com/api"
    assert re.fullmatch(r"path-[0-9a-f]{10}", said["CONNECTOR_STATE"])


# Files --------------------------------------------------------------------------------------------


def test_a_bundle_replaces_no_file(run: Run) -> None:
    (run.folder / "ticket.zip").write_text("mine", encoding="utf-8")

    done = run("support-bundle", "ticket.zip")

    assert (done.exit_code, done.json["error"]["code"]) == (2, "COMMAND")
    assert (run.folder / "ticket.zip").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_leaves_nothing_behind(run: Run) -> None:
    done = run("support-bundle", "nowhere/ticket.zip")

    assert (done.exit_code, done.json["error"]["code"]) == (2, "COMMAND")
    assert not list(run.folder.rglob("*.part"))


def test_people_are_told_what_is_inside(lived: Run) -> None:
    told = lived.text("support-bundle", "ticket.zip").stdout
    anonymous = lived.text("support-bundle", "anonymous.zip", "--anonymous").stdout

    assert "make one with --anonymous" in told
    assert "Names are replaced by aliases." in anonymous


def test_only_the_ends_of_the_last_logs_are_packed(run: Run) -> None:
    run.state.mkdir()
    for number in range(12):
        path = run.state / f"day-{number:02}.log"
        path.write_text(
            f"{'x' * 1024 * 1024}\nthe end of {number}\n" if number == 5 else "short\n", encoding="utf-8"
        )
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    (run.state / "catalog.txt").write_text("no log", encoding="utf-8")

    _, found = bundled(run)

    logs = [(each["member"], each["name"]) for each in found.json("logs.json")["logs"]]
    assert logs == [(f"logs/{12 - number:02}.log", f"day-{number:02}.log") for number in range(11, 1, -1)]
    assert found.texts["logs/07.log"] == "the end of 5"


# Logs that anybody may have written ------------------------------------------------------------------


def logged(run: Run, data: bytes, name: str = "run.log") -> None:
    """Have a log of these bytes beside the state folder."""
    (run.folder / "logs").mkdir(exist_ok=True)
    (run.folder / "logs" / name).write_bytes(data)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be"), ("", "utf-16-le"), ("", "utf-16-be"), ("", "cp1252")],
)
@pytest.mark.parametrize("long", [False, True])
def test_no_secret_and_no_name_hides_in_the_encoding_of_a_log(
    msp: Msp, run: Run, mark: str, encoding: str, long: bool
) -> None:
    msp.customer("Zoë Dental", {"CIXA-MSP": 3})
    secret = msp.world.sophos_client_secret
    lines = f"for Zoë Dental with {secret}\r\n" * (20_000 if long else 1)
    logged(run, f"{mark}{lines}".encode(encoding))

    _, found = bundled(run, "ticket.zip", "--anonymous")
    _, named = bundled(run, "named.zip")

    for each in (found, named):
        assert each.texts["logs/01.log"].splitlines()[-1].endswith(" with ***")
        assert secret not in "".join(each.texts.values()).replace("\0", "")
    assert found.has("Dental") == []
    assert "for Zoë Dental" in named.texts["logs/01.log"]


@pytest.mark.parametrize(
    "data",
    [
        b"one \0 in the middle",
        b"read this\n" + "and this in another encoding\n".encode("utf-16-le"),
        b"\xff\xfe" + b"plain after the mark, all of it\n",
        b"\xff\xfe\0\0" + "wider".encode("utf-32-le"),
        b"x" * (1024 * 1024 + 9),
    ],
)
def test_a_log_that_is_no_text_is_left_out_and_said_so(run: Run, data: bytes) -> None:
    logged(run, data)

    done, found = bundled(run)

    assert not [name for name in found.texts if name.startswith("logs")]
    assert any("run.log was left out" in fault for fault in done.json["faults"])


def test_a_log_is_cut_at_the_end_of_a_line_so_that_no_secret_is_cut(msp: Msp, run: Run) -> None:
    secret = msp.world.sophos_client_secret
    logged(run, f"start {secret}\n{'ok' * (512 * 1024 - 5)}\nend\n".encode())

    _, found = bundled(run)

    assert secret[-6:] not in found.texts["logs/01.log"]
    assert found.texts["logs/01.log"].endswith("end")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", [b"caf\xe9.log", b"..\\..\\evil.log", b"a\nb.log", b"x.log.\xff", b"C:\\x.log"]
)
def test_a_log_of_any_name_is_packed_under_a_safe_one(run: Run, name: bytes) -> None:
    (run.folder / "logs").mkdir()
    (Path(os.fsdecode(os.fsencode(run.folder / "logs") + b"/" + name))).write_bytes(b"hello")

    done, found = bundled(run)

    assert found.texts["logs/01.log"] == "hello"
    assert done.json["members"] == list(found.texts)
    assert all(re.fullmatch(r"[\w./-]+", each) for each in found.texts)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 600 + "]" * 600,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 900 + '"AlderDental"' + "}" * 900,
        "9" * 5000,
        '"\\ud800"',
        '{"\\ud800": "\\udfff"}',
        '{"AlderDental": {"kind": "AlderDental", "item": "AlderDental"}, "where": "AlderDental"}',
        '{"msg": "said {\\"x\\": \\"AlderDent\\\\u0061l\\"}"}',
    ],
)
def test_any_line_of_a_log_is_packed_without_the_names_in_it(msp: Msp, run: Run, line: str) -> None:
    msp.customer("AlderDental", {"CIXA-MSP": 3})
    logged(run, f"{line}\nend".encode())

    done, found = bundled(run, "ticket.zip", "--anonymous")

    assert found.texts["logs/01.log"].endswith("end")
    assert found.has("AlderDent") == []
    assert not [fault for fault in done.json["faults"] if "logs/" in fault]


def test_only_our_own_logs_are_packed_and_the_one_that_is_set(run: Run) -> None:
    (run.folder / "somebody.log").write_text("of another program", encoding="utf-8")
    elsewhere = run.folder / "var"
    elsewhere.mkdir()
    for name in ("ours.txt", "ours.txt.1", "theirs.log"):
        (elsewhere / name).write_text(name, encoding="utf-8")

    _, found = bundled(run, "ticket.zip", CONNECTOR_LOG_FILE="var/ours.txt")
    (run.folder / ".env").write_text("CONNECTOR_LOG_FILE=var/ours.txt\n", encoding="utf-8")
    _, again = bundled(run, "again.zip")

    for each in (found, again):
        assert {log["name"] for log in each.json("logs.json")["logs"]} == {"ours.txt", "ours.txt.1"}
        assert each.has("of another program") == []


def test_a_part_that_cannot_be_packed_keeps_no_other_out(msp: Msp, run: Run) -> None:
    msp.customer("AlderDental", {"CIXA-MSP": 3})
    run("sync")
    database = sqlite3.connect(run.state / "connector.db")
    database.execute("UPDATE runs SET options = ?", ('{"a":' * 900 + "1" + "}" * 900,))
    database.commit()
    database.close()

    for mode in ([], ["--anonymous"]):
        done, found = bundled(run, f"{len(mode)}.zip", *mode)

        assert any("runs.json was left out" in fault for fault in done.json["faults"])
        assert any("runs.json was left out" in fault for fault in found.json("manifest.json")["faults"])
        assert "runs.json" not in found.texts
        assert "snapshots.json" in found.texts


def test_user_and_password_of_a_proxy_are_in_no_bundle(run: Run) -> None:
    logged(run, b"proxy http://jane:pr0xyPass@proxy:80 and https://joe@host; pr0xyPass\nodd p%40ss, p@ss\n")
    (run.folder / ".env").write_text("https_proxy=jim:p%40ss@two.alder.example:80\n", encoding="utf-8")
    given = {"http_proxy": "http://jane:pr0xyPass@proxy.alder.example:80", "ALL_PROXY": "http://[::1"}

    _, named = bundled(run, "named.zip", **given)
    _, found = bundled(run, "ticket.zip", "--anonymous", **given)

    for each in (named, found):
        for secret in ("pr0xyPass", "p@ss", "p%40ss", "jane", "joe@"):
            assert each.has(secret) == []
        assert "http://***@proxy:80" in each.texts["logs/01.log"]
        said = {entry["setting"]: entry["where"] for entry in each.json("settings.json")["settings"]}
        assert said["HTTP_PROXY"] == "http_proxy in the environment"
        assert said["HTTPS_PROXY"] == "https_proxy in .env"


def test_the_bundle_is_written_beside_a_file_of_any_name_and_for_its_owner_alone(run: Run) -> None:
    (run.folder / "ticket.zip.part").write_text("mine", encoding="utf-8")

    bundled(run)

    assert (run.folder / "ticket.zip.part").read_text(encoding="utf-8") == "mine"
    if os.name == "posix":
        assert stat.S_IMODE((run.folder / "ticket.zip").stat().st_mode) == 0o600
    assert len(list(run.folder.glob("*.part"))) == 1


def test_an_item_that_is_called_like_a_customer_names_nobody(msp: Msp, run: Run) -> None:
    msp.item("BIRCH-EDR")
    birch = msp.customer("Birch", {"CIXA-MSP": 12})
    birch.entry["products"] = {"CIXA-MSP": {"item": "BIRCH-EDR"}}
    run("sync")

    _, found = bundled(run, "ticket.zip", "--anonymous")

    assert found.has("BIRCH") == []
    assert found.has("-EDR")


# The map ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "tenant:\n  a1: {name: Alder Group, company: AlderCo, phone: 0123456789}\n",
        "Tenants: {Alder Group: {company: AlderCo}}\n",
        "import:\n  customer: {Alder Group: 223c98b5-d39e-4c60-afde-892a53de496c}\n",
        "firewals: {123456789: AlderCo}\n",
        "products:\n  CIXA-MSP: {name: for Alder Group, item: SOPHOS-ENDPOINT}\n",
        "products:\n  Alder Group: {itm: AlderCo}\n",
        "defaults: {absent: Alder Group, adopts: [AlderCo]}\n",
        "firewalls: {0123456789: 223c98b5-d39e-4c60-afde-892a53de496c, 123456789: x}\n",
        "Alder Group\n",
    ],
)
def test_where_a_key_is_mistyped_the_map_still_names_nobody(run: Run, text: str) -> None:
    run.mappings_text = f"version: 1\n{text}"

    _, found = bundled(run, "ticket.zip", "--anonymous")

    for name in ("Alder", "123456789", "223c98b5"):
        assert found.has(name) == []
    assert yaml.safe_load(found.texts["mappings.yaml"])["version"] == 1 if ":" in text else True


@pytest.mark.parametrize("text", ["- Alder Group\n- name: AlderCo\n", "Alder Group is our customer\n", ""])
def test_a_map_that_is_no_mapping_is_left_out_of_an_anonymous_bundle(run: Run, text: str) -> None:
    run.mappings_text = text

    done, found = bundled(run, "ticket.zip", "--anonymous")

    assert "mappings.yaml" not in found.texts
    assert found.has("Alder") == []
    assert any("no mapping of keys" in fault for fault in done.json["faults"])


def test_what_is_ours_stays_in_an_anonymous_map(run: Run) -> None:
    run.mappings_text = (
        "version: 1\n"
        "defaults: {absent: keep, effective: today, mark: false, pricing: {cost: sophos, "
        "price: {markup: '20 %'}, rates: {USD: {EUR: '0.92'}}}}\n"
        "guards: {removals: 0.5, money: '12500.00', increase_units: 100000}\n"
        "products:\n  CIXA-MSP: {item: SOPHOS-ENDPOINT, minimum: 5, aggregate: max}\n"
        "import: {dates: dmy, columns: {customer: End User}, product_codes: {Central Email: CEMA-MSP}}\n"
        "tenants:\n  223c98b5-d39e-4c60-afde-892a53de496c: {company: 4711, agreement: 118, sync: true}\n"
    )
    _, found = bundled(run, "ticket.zip", "--anonymous")

    said, was = yaml.safe_load(found.texts["mappings.yaml"]), yaml.safe_load(run.mappings_text)
    assert {**said, "tenants": None} == {**was, "tenants": None}
    assert list(said["tenants"].values()) == list(was["tenants"].values())


def test_anchors_tags_and_line_numbers_outlast_the_aliases(run: Run) -> None:
    run.mappings_text = (
        "version: 1\ntenants:\n  &alder 223c98b5-d39e-4c60-afde-892a53de496c:\n"
        "    name: &n |\n      Alder\n      Dental\n"
        "    company: !!str 'Alder\n      Dental'  # Alder Dental\n"
        '    agreement: !alder {*n : "Alder\n      Care", b: &e , c: }\n'
        "  ? b\n  : {name: *n, company: Birch\n      Co}\n"
        "firewalls: &f {}\n"
    )
    _, found = bundled(run, "ticket.zip", "--anonymous")

    text = found.texts["mappings.yaml"]
    assert found.has("alder") == found.has("Birch") == []
    assert text.count("\n") == run.mappings_text.count("\n")
    assert [number for number, line in enumerate(text.split("\n")) if line.startswith("firewalls:")] == [
        number for number, line in enumerate(run.mappings_text.split("\n")) if line.startswith("firewalls:")
    ]
    assert "company: !!str company-" in text
    assert yaml.compose(text) is not None


def test_a_map_in_another_encoding_is_read_or_left_out(run: Run) -> None:
    run.map_kept = True
    path = run.folder / "mappings.yaml"
    path.write_bytes("version: 1\ntenants: {a: {name: Zoë}}\n".encode("cp1252"))
    _, first = bundled(run, "first.zip", "--anonymous")
    path.write_bytes(b"version: 1\n# one \0\ntenants: {a: {name: Zoe}}\n")
    done, second = bundled(run, "second.zip")

    assert first.has("Zo") == []
    assert "tenants:" in first.texts["mappings.yaml"]
    assert "mappings.yaml" not in second.texts
    assert any("zero bytes" in fault for fault in done.json["faults"])
