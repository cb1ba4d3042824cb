"""Every exit code of contract section 5, and which one counts where several hold."""

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Fault, Simulator
from connector.simulator.faults import Kind


def test_done_or_nothing_to_do_is_0(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12}).entry["products"] = {"CEMA-MSP": {"sync": False}}

    assert [run(command).exit_code for command in ("plan", "sync", "plan", "sync")] == [0] * 4
    assert run("plan", "--exit-code").exit_code == 0


def test_an_unresolved_row_is_3(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"NEW-MSP": 12})

    assert [run(command).exit_code for command in ("plan", "sync")] == [3, 3]


def test_changes_to_make_are_7_only_if_asked(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert run("plan").exit_code == 0
    assert run("plan", "--exit-code").exit_code == 7


def test_what_a_person_must_decide_counts_before_changes_to_make(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NEW-MSP": 1})

    assert run("plan", "--exit-code").exit_code == 3


def test_a_held_change_is_3_and_not_7(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12}).has(ENDPOINT, 3)

    assert run("plan", "--exit-code").exit_code == 3


def test_a_guard_counts_before_what_a_person_must_decide(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 1)
    customers[0].uses("NEW-MSP", 1)

    assert run("sync").exit_code == 4
    assert run("plan", "--exit-code").exit_code == 4


def test_a_failed_change_counts_before_what_a_person_must_decide(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NEW-MSP": 1})
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST"))

    done = run("sync")
    assert (done.exit_code, done.unresolved) == (6, ["UNMAPPED_PRODUCT"])


def test_a_faulty_map_counts_before_a_month_that_is_not_published(msp: Msp, run: Run) -> None:
    run.mappings_text = "version: 2\n"
    assert run("plan", "2030-01").exit_code == 2


def test_a_vendor_out_of_reach_counts_before_a_guard(msp: Msp, run: Run, simulator: Simulator) -> None:
    msp.world.publish("2026-10")
    simulator.faults.add(Fault("503", vendor="connectwise", times=None))

    assert run("sync").exit_code == 5


@pytest.mark.parametrize("vendor", ["sophos", "connectwise"])
@pytest.mark.parametrize("kind", ["502-html", "429", "403", "redirect", "html-200", "cut-before"])
def test_a_vendor_that_fails_ends_the_run_before_any_write(
    msp: Msp, run: Run, simulator: Simulator, vendor: str, kind: Kind
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    path = "/billing/usage" if vendor == "sophos" else "/additions"
    simulator.faults.add(Fault(kind, path=path, method="GET", times=None))

    ended = run("sync")

    assert (ended.exit_code, simulator.writes) == (5, ())
    assert {"sophos": "Sophos", "connectwise": "ConnectWise"}[vendor] in ended.json["error"]["message"]
    assert ended.json["error"]["next"]


@pytest.mark.parametrize(
    "path", ["/whoami", "/partner/v1/tenants", "/firewalls", "/companies", "/agreements", "/catalog"]
)
@pytest.mark.parametrize("kind", ["wrong-shape", "html-200"])
def test_an_answer_that_makes_no_sense_ends_the_run(
    msp: Msp, run: Run, simulator: Simulator, path: str, kind: Kind
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    simulator.faults.add(Fault(kind, path=path, times=None))

    assert (run("sync").exit_code, simulator.writes) == (5, ())


def test_a_vendor_that_hangs_ends_the_run(msp: Msp, run: Run, simulator: Simulator) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    simulator.faults.add(Fault("timeout-before", path="/companies", times=None))

    ended = run("sync", CONNECTOR_TIMEOUT="0.2")
    assert (ended.exit_code, simulator.writes) == (5, ())


def test_a_server_that_is_not_there_ends_the_run(msp: Msp, run: Run) -> None:
    ended = run("sync", SOPHOS_API_URL="http://127.0.0.1:9", SOPHOS_AUTH_URL="http://127.0.0.1:9/token")
    assert ended.exit_code == 5
    assert "127.0.0.1:9" in ended.json["error"]["message"]


def test_wrong_sophos_credentials_are_5_and_named(msp: Msp, run: Run) -> None:
    ended = run("sync", SOPHOS_CLIENT_SECRET="another-secret")

    assert (ended.exit_code, ended.writes) == (5, [])
    assert "SOPHOS_CLIENT_SECRET" in ended.json["error"]["next"]


@pytest.mark.parametrize("answer", [401, 404])
@pytest.mark.parametrize(
    "wrong", ["CONNECTWISE_COMPANY", "CONNECTWISE_PUBLIC_KEY", "CONNECTWISE_PRIVATE_KEY"]
)
def test_wrong_connectwise_credentials_are_5_and_named(msp: Msp, run: Run, answer: int, wrong: str) -> None:
    msp.world.bad_keys_answer = 401 if answer == 401 else 404
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("sync", **{wrong: "another-value"})

    assert (ended.exit_code, ended.writes) == (5, [])
    assert wrong in ended.json["error"]["next"]


def test_a_missing_client_id_of_connectwise_is_5_and_named(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("sync", CONNECTWISE_CLIENT_ID="00000000-0000-0000-0000-000000000000")

    assert ended.exit_code == 5
    assert "CONNECTWISE_CLIENT_ID" in ended.json["error"]["next"]


@pytest.mark.parametrize("kind", ["organization", "tenant"])
def test_credentials_that_are_no_partners_are_5(msp: Msp, run: Run, kind: str) -> None:
    msp.world.id_type = "organization" if kind == "organization" else "tenant"
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("sync")

    assert (ended.exit_code, ended.writes) == (5, [])
    assert "partner" in ended.json["error"]["message"].lower()


@pytest.mark.parametrize("right", ["companies", "agreements", "additions.read", "catalog.read"])
def test_a_role_that_may_not_read_is_5_and_the_right_is_named(msp: Msp, run: Run, right: str) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    msp.world.rights -= {right}

    ended = run("sync")

    assert (ended.exit_code, ended.writes) == (5, [])
    assert "Inquire" in ended.json["error"]["next"]


def test_a_role_that_may_not_write_is_6(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    msp.world.rights -= {"additions.write"}

    done = run("sync")
    assert (done.exit_code, done.outcomes) == (6, [("create", "failed")])
