"""Mapping tenants by commands: found by a person's words, never chosen without one, and never half."""

from pathlib import Path

import pytest
from months.calling import Result, Run
from months.msp import ENDPOINT, Msp

from connector.mappings.load import load_mappings
from connector.model import TenantEntry

HOSTILE = "=cmd|' /C calc'!A0 \x1b[31m\u202eevil\nLtd"


@pytest.fixture
def kept(run: Run, msp: Msp) -> Run:
    """A desk whose map stays as the commands leave it; it begins with the products."""
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    run.map_kept = True
    return run


def entry(run: Run, tenant_id: str) -> TenantEntry | None:
    return load_mappings(run.folder / "mappings.yaml").tenants.get(tenant_id)


def text_of(run: Run) -> bytes:
    return (run.folder / "mappings.yaml").read_bytes()


def refused(run: Run, *args: str) -> str:
    """Run a command that must fail as a fault of the command line, and leave the map alone."""
    before = text_of(run)
    done = run(*args)
    assert done.exit_code == 2
    assert text_of(run) == before
    error = done.json["error"]
    return f"{error['message']} {error['next']}"


def notes(done: Result) -> str:
    assert done.exit_code == 0, done.stdout
    return "\n".join(done.json["notes"])


# The list


def test_new_tenants_with_usage_come_first_by_cost_then_faults_then_all_by_name(msp: Msp, run: Run) -> None:
    zebra = msp.customer("Zebra", {"CIXA-MSP": 1})
    small = msp.customer("Aspen", {"CIXA-MSP": 1}, mapped=False)
    large = msp.customer("Willow", {"CIXA-MSP": 9}, mapped=False)
    idle = msp.customer("Idle", mapped=False)
    broken = msp.customer("Yew", {"CIXA-MSP": 1})
    broken.entry["agreement"] = "Gone"

    listed = run("tenants").json

    assert (listed["schema"], listed["period"]) == ("connector.tenants/1", "2026-10")
    found = [(each["tenant_id"], each["state"]) for each in listed["tenants"]]
    assert found == [
        (large.tenant, "new"),
        (small.tenant, "new"),
        (broken.tenant, "fault"),
        (idle.tenant, "new"),
        (zebra.tenant, "on"),
    ]
    advice = {each["tenant_id"]: each["advice"] for each in listed["tenants"]}
    assert advice[large.tenant] == f"map it: connector tenants map {large.tenant}"
    assert "agreement 'Gone' is not among those of company Yew" in advice[broken.tenant]
    assert (advice[idle.tenant], advice[zebra.tenant]) == ("", "")


def test_the_list_can_be_cut_to_states_and_to_what_failed(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 3})
    off = msp.customer("Birch", {"CIXA-MSP": 3})
    off.entry["sync"] = False
    new = msp.customer("Cedar", {"CIXA-MSP": 3}, mapped=False)
    assert run("sync").exit_code == 3

    def ids(*args: str) -> list[str]:
        return [each["tenant_id"] for each in run("tenants", *args).json["tenants"]]

    assert ids("--state", "off") == [off.tenant]
    assert ids("--state", "new, OFF") == [new.tenant, off.tenant]
    assert ids("--failed") == [new.tenant]
    assert ids("--failed", "--state", "on") == []
    wrong = run("tenants", "--state", "sleeping")
    assert (wrong.exit_code, "'sleeping' is none of" in wrong.json["error"]["message"]) == (2, True)


def test_the_last_runs_result_is_told_and_its_advice_until_the_map_has_changed(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    before = kept("tenants").json["tenants"][0]
    assert before["last_run"] is None
    assert kept("sync").exit_code == 3

    first = kept("tenants").json["tenants"][0]
    assert (first["last_run"]["run"], first["last_run"]["outcome"]) == (1, "unresolved")
    assert "UNMAPPED_TENANT" in first["last_run"]["message"]
    assert kept("tenants", "map", alder.tenant, "Alder", "Managed Security").exit_code == 0
    mapped = kept("tenants").json["tenants"][0]
    assert mapped["advice"] == "mappings.yaml has been changed since; see: connector plan"

    assert kept("sync").exit_code == 0
    done = kept("tenants").json["tenants"][0]
    assert (done["last_run"]["outcome"], done["advice"]) == ("done", "")
    assert alder.bills == {ENDPOINT: 3}
    assert kept("tenants", "--failed").json["tenants"] == []


def test_a_held_change_says_how_to_release_it(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3})
    alder.has(ENDPOINT, 2)
    run("sync")
    (told,) = run("tenants", "--failed").json["tenants"]
    assert told["last_run"]["outcome"] == "held"
    assert "connector sync --force NEEDS_ADOPTION" in told["advice"]


def test_the_list_as_text_and_csv_shows_names_that_can_do_no_harm(msp: Msp, run: Run) -> None:
    msp.world.add_tenant(HOSTILE)
    shown = run.text("tenants")
    assert shown.exit_code == 0
    assert "\\u202eevil" in shown.stdout
    assert "Sophos has published no month yet" in shown.stderr
    assert len(shown.stdout.splitlines()) == 2
    as_csv = run.text("tenants", "--csv").stdout
    assert "'=cmd" in as_csv
    assert "\u202e" not in as_csv


def test_without_a_map_every_tenant_is_new(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 3})
    run.map_kept = True
    shown = run.text("tenants")
    assert shown.exit_code == 0
    assert "so nothing is mapped" in shown.stderr
    assert " new " in shown.stdout
    assert not (run.folder / "mappings.yaml").exists()


# Companies and agreements


def test_companies_are_found_by_name_or_identifier_best_first_and_never_deleted(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    msp.world.add_agreement(alder.company.id, "Old", cancelled=True)
    other = msp.world.add_company("WALDER", "Walder Inc")
    gone = msp.world.add_company("ALDERX", "Alder X")
    msp.world.merge_company(gone.id, alder.company.id)

    found = run("tenants", "search", "ALD").json

    assert (found["schema"], found["found"]) == ("connector.companies/1", 2)
    assert found["companies"] == [
        {
            "id": alder.company.id,
            "identifier": "Alder",
            "name": "Alder Limited",
            "status": "Active",
            "active_agreements": 1,
        },
        {
            "id": other.id,
            "identifier": "WALDER",
            "name": "Walder Inc",
            "status": "Active",
            "active_agreements": 0,
        },
    ]
    assert "Alder Limited" in run.text("tenants", "search", "ald").stdout
    assert run("tenants", "search", "nobody").json["companies"] == []
    short = run("tenants", "search", "a")
    assert (short.exit_code, short.requests) == (2, ())


def test_a_search_that_finds_too_many_says_so(msp: Msp, run: Run) -> None:
    for number in range(51):
        msp.world.add_company(f"Oak{number}", f"Oak {number}")
    assert run("tenants", "search", "oak").json["found"] == 51
    shown = run.text("tenants", "search", "oak")
    assert "50 of 51 are shown" in shown.stderr
    assert len(shown.stdout.splitlines()) == 51


def test_a_companys_agreements_say_which_of_them_can_be_mapped_to(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    old = msp.world.add_agreement(alder.company.id, "Aged", cancelled=True)

    for named in ("alder", str(alder.company.id), f"id:{alder.company.id}", "alder limited"):
        found = run("tenants", "agreements", named).json
        assert (found["schema"], found["company"]["id"]) == ("connector.agreements/1", alder.company.id)
        told = [(each["id"], each["usable"], each["why_not"]) for each in found["agreements"]]
        assert told == [(alder.agreement.id, True, None), (old.id, False, "is cancelled")]
    shown = run.text("tenants", "agreements", "Alder").stdout
    assert "no: it is cancelled" in shown
    assert "2025-01-01" in shown


def test_a_company_that_cannot_be_told_is_refused(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder")
    twin = msp.world.add_company("Alder2", "Alder Limited")
    number = msp.world.add_company(str(alder.company.id), "Numbers")
    gone = msp.world.add_company("Gone", "Gone Ltd")
    msp.world.merge_company(gone.id, twin.id)

    by_name = refused(kept, "tenants", "agreements", "Alder Limited")
    assert f"id:{alder.company.id}" in by_name
    assert f"id:{twin.id}" in by_name
    by_number = refused(kept, "tenants", "agreements", number.identifier)
    assert f"Numbers (id:{number.id})" in by_number
    assert kept("tenants", "agreements", f"id:{number.id}").json["company"]["name"] == "Numbers"
    assert "was deleted in ConnectWise" in refused(kept, "tenants", "agreements", "gone")
    assert "was deleted in ConnectWise" in refused(kept, "tenants", "agreements", f"id:{gone.id}")
    assert "ConnectWise has no company" in refused(kept, "tenants", "agreements", "id:99999")
    assert "connector tenants search TEXT" in refused(kept, "tenants", "agreements", "nobody")


# map


def test_a_new_tenant_is_mapped_by_name_and_billed_by_the_next_run(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)

    done = kept("tenants", "map", "alder ltd", "Alder Limited", "managed security")

    assert "is billed to Alder, Alder Limited" in notes(done)
    assert (done.json["company_id"], done.json["agreement_id"]) == (alder.company.id, alder.agreement.id)
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", "Alder", "Managed Security")
    assert kept("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 3}


def test_a_dry_run_shows_the_diff_and_writes_nothing(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    before = text_of(kept)
    done = kept.text("tenants", "map", alder.tenant, "Alder", "Managed Security", "--dry-run")
    assert done.exit_code == 0
    assert "+    company: Alder" in done.stdout
    assert text_of(kept) == before


def test_without_company_or_agreement_the_candidates_and_the_command_are_told(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    unheard = msp.world.add_tenant("Quixotic Zzyzx")

    told = refused(kept, "tenants", "map", alder.tenant)
    assert f"Alder, Alder Limited (id:{alder.company.id}): equal but for the legal form" in told
    assert f"connector tenants map {alder.tenant} Alder" in told
    told = refused(kept, "tenants", "map", alder.tenant, "Alder")
    assert f'"Managed Security" (id:{alder.agreement.id}): the only active agreement' in told
    assert f'connector tenants map {alder.tenant} Alder "Managed Security"' in told
    assert "No company has a name like it" in refused(kept, "tenants", "map", unheard.id)
    assert "connector tenants search TEXT" in refused(kept, "tenants", "map", unheard.id)


def test_a_command_line_that_says_too_much_or_too_little_is_refused(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    assert "Name a tenant" in refused(kept, "tenants", "map")
    assert "--accept-exact" in refused(kept, "tenants", "map", alder.tenant, "--yes")
    assert "name none" in refused(kept, "tenants", "map", alder.tenant, "--accept-exact")
    assert "No tenant has" in refused(kept, "tenants", "map", "nobody", "Alder")


def test_of_two_tenants_of_one_name_the_id_must_be_given(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    twin = msp.world.add_tenant("Alder Ltd")
    told = refused(kept, "tenants", "map", "Alder Ltd", "Alder", "Managed Security")
    assert alder.tenant in told
    assert twin.id in told
    assert kept("tenants", "map", twin.id, "Alder", "Managed Security").exit_code == 0
    assert entry(kept, alder.tenant) is None


def test_an_agreement_that_cannot_be_billed_through_is_refused_saying_why(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    birch = msp.customer("Birch", mapped=False)
    old = msp.world.add_agreement(alder.company.id, "Old", cancelled=True)
    twins = [msp.world.add_agreement(alder.company.id, "Twin") for _ in range(2)]
    msp.world.add_company("Empty", "Empty")
    ended = msp.world.add_company("Ended", "Ended")
    msp.world.add_agreement(ended.id, "Past", cancelled=True)

    def told(*named: str) -> str:
        return refused(kept, "tenants", "map", alder.tenant, *named)

    assert f'"Old" (id:{old.id}) is cancelled' in told("Alder", "old")
    assert f"id:{twins[1].id}" in told("Alder", "Twin")
    assert f"agreement {birch.agreement.id} is one of" in told("Alder", f"id:{birch.agreement.id}")
    assert "has no agreement 'Nothing'" in told("Alder", "Nothing")
    assert '"Managed Security"' in told("Alder", "Nothing")
    assert "Make one in ConnectWise" in told("Empty", "Nothing")
    assert "has no active agreement" in told("Empty")
    assert '"Past"' in told("Ended")
    assert "Renew it in ConnectWise" in told("Ended", "Past")


def test_what_a_name_would_not_find_is_written_by_its_id(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    twins = [msp.world.add_agreement(alder.company.id, "Twin") for _ in range(2)]
    done = kept("tenants", "map", alder.tenant, "Alder", f"id:{twins[1].id}")
    assert 'several active agreements are called "Twin"' in notes(done)
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", "Alder", twins[1].id)


def test_a_text_that_meant_another_company_until_now_is_written_by_its_id(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    assert kept("tenants", "map", alder.tenant, "Alder", "Managed Security").exit_code == 0
    assert kept("sync").exit_code == 0
    msp.world.rename_company(alder.company.id, "AlderOld")
    newer = msp.world.add_company("Alder", "Alder Two")
    agreement = msp.world.add_agreement(newer.id, "Managed Security")
    other = msp.world.add_tenant("Other")

    done = kept("tenants", "map", other.id, "Alder", "Managed Security")

    assert 'for "Alder" meant another company until now' in notes(done)
    assert entry(kept, other.id) == TenantEntry("Other", newer.id, "Managed Security")
    assert done.json["agreement_id"] == agreement.id


def test_mapping_turns_a_tenant_on_again_and_keeps_its_exceptions_and_what_people_call_it(
    msp: Msp, kept: Run
) -> None:
    alder = msp.customer("Alder", mapped=False)
    (kept.folder / "mappings.yaml").write_text(
        f"version: 1\ntenants:\n  {alder.tenant}: # ours\n    name: The Alders\n    sync: false\n"
        "    products: {CDE-MSP: {sync: false}}\n"
    )
    assert kept("tenants", "map", alder.tenant, "Alder", "Managed Security").exit_code == 0
    found = entry(kept, alder.tenant)
    assert found is not None
    assert (found.name, found.company, found.sync, list(found.products)) == (
        "The Alders",
        "Alder",
        True,
        ["CDE-MSP"],
    )
    assert b"# ours" in text_of(kept)


def test_a_shared_agreement_a_term_tenant_and_a_moved_line_are_told(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    birch = msp.customer("Birch", mapped=False)
    term = msp.world.add_tenant("Termed", billing_type="term")
    kept("tenants", "map", alder.tenant, "Alder", "Managed Security")
    assert kept("sync").exit_code == 0

    told = notes(kept("tenants", "map", term.id, "Alder", "Managed Security"))
    assert "Alder Ltd" in told
    assert "added up" in told
    assert "on term licences" in told
    told = notes(kept("tenants", "map", alder.tenant, "Birch", "Managed Security"))
    line = alder.line()
    assert f"3 {ENDPOINT} on" in told
    assert f"addition {line.id}, bills it until now: the next run sets it to 0" in told
    again = notes(kept("tenants", "map", alder.tenant, "Birch", "Managed Security"))
    assert "added up" not in again

    assert kept("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 0}, {ENDPOINT: 3})


def test_a_hostile_tenant_name_is_written_harmless(msp: Msp, kept: Run) -> None:
    msp.customer("Alder")
    tenant = msp.world.add_tenant(HOSTILE)
    done = kept.text("tenants", "map", tenant.id, "Alder", "Managed Security")
    assert done.exit_code == 0
    found = entry(kept, tenant.id)
    assert found is not None
    assert found.name.isprintable()
    assert found.name.startswith("=cmd")


# unmap, on and off


def test_off_and_unmap_say_what_goes_on_billing_and_how_to_end_it(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    kept("tenants", "map", alder.tenant, "Alder", "Managed Security")
    assert "Nothing that the connector wrote" in notes(kept("tenants", "off", alder.tenant, "--dry-run"))
    assert kept("sync").exit_code == 0
    line = alder.line()

    for command in ("off", "unmap"):
        told = notes(kept("tenants", command, "Alder Ltd"))
        assert (
            f'3 {ENDPOINT} on "Managed Security" ({alder.agreement.id}) of Alder, addition {line.id}, goes on'
        ) in told
        assert "Cancelled Date" in told
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", sync=False)
    done = kept("sync")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 3})


def test_a_line_that_others_feed_too_is_set_to_what_they_use(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    branch = msp.customer("Branch", {"CIXA-MSP": 2}, mapped=False)
    for each in (alder, branch):
        kept("tenants", "map", each.tenant, "Alder", "Managed Security")
    assert kept("sync").exit_code == 0
    moved = notes(kept("tenants", "map", branch.tenant, "Branch", "Managed Security", "--dry-run"))
    assert "sets it to what the others use" in moved
    told = notes(kept("tenants", "off", branch.tenant))
    assert "bills others too: the next run sets it to what they use" in told
    assert "Cancelled Date" not in told
    assert kept("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 3}


def test_off_and_on_keep_the_mapping(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    kept("tenants", "map", alder.tenant, "Alder", "Managed Security")
    mapped = text_of(kept)
    kept("tenants", "off", alder.tenant)
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", "Alder", "Managed Security", sync=False)
    assert "is billed from the next run on" in notes(kept("tenants", "on", alder.tenant))
    assert text_of(kept) == mapped
    assert kept("tenants", "on", alder.tenant).json["changed"] is False


def test_on_says_when_the_mapping_does_not_work_any_more(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    kept("tenants", "map", alder.tenant, "Alder", "Managed Security")
    kept("tenants", "off", alder.tenant)
    msp.world.merge_company(alder.company.id)
    assert '"Alder" is not in ConnectWise: correct' in notes(kept("tenants", "on", alder.tenant))


def test_a_tenant_without_an_entry_can_be_decided_off_but_not_unmapped_or_on(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    assert f"connector tenants off {alder.tenant}" in refused(kept, "tenants", "unmap", alder.tenant)
    told = refused(kept, "tenants", "on", alder.tenant)
    assert "no company and no agreement" in told
    assert f"connector tenants map {alder.tenant}" in told

    assert kept("tenants", "off", alder.tenant).exit_code == 0
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", sync=False)
    assert kept("sync").exit_code == 0
    assert alder.bills == {}


# map --accept-exact


def test_equal_names_are_listed_first_and_written_at_once(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 3}, mapped=False)
    birch = msp.customer("Birch", {"CIXA-MSP": 2}, mapped=False)
    stranger = msp.world.add_tenant("Stranger")
    msp.customer("Cedar", mapped=False)
    before = text_of(kept)

    shown = kept.text("tenants", "map", "--accept-exact", "--dry-run")
    assert text_of(kept) == before
    listing, _, diff = shown.stdout.partition("---")
    assert "Equal names (3):" in listing
    assert f'Alder Ltd ({alder.tenant[:8]})  Alder    Alder Limited  "Managed Security"' in listing
    assert "For a person (1):" in listing
    assert f"no company has an equal name  connector tenants map {stranger.id}" in listing
    assert "+    company: Birch" in diff

    done = kept("tenants", "map", "--accept-exact")
    assert [each["company"] for each in done.json["pairs"]] == ["Alder", "Birch", "Cedar"]
    assert [each["tenant_id"] for each in done.json["passed"]] == [stranger.id]
    assert entry(kept, birch.tenant) == TenantEntry("Birch Ltd", "Birch", "Managed Security")
    assert entry(kept, stranger.id) is None
    assert kept("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 3}, {ENDPOINT: 2})


def test_what_is_not_unique_or_leaves_a_choice_is_left_to_a_person(msp: Msp, kept: Run) -> None:
    twice = msp.customer("Twice", mapped=False)
    msp.world.add_tenant("Twice GmbH")
    doubled = msp.customer("Doubled", mapped=False)
    msp.world.add_company("Doubled2", "Doubled")
    choice = msp.customer("Choice", mapped=False)
    msp.world.add_agreement(choice.company.id, "Support")
    bare = msp.customer("Bare", mapped=False, cancelled=True)
    taken = msp.customer("Taken", mapped=False)
    other = msp.world.add_tenant("Somebody else")
    kept("tenants", "map", other.id, "Taken", "Managed Security")
    nameless = msp.world.add_tenant("", show_as="")
    half = msp.customer("Half", mapped=False)
    with (kept.folder / "mappings.yaml").open("a") as file:
        file.write(f"  {half.tenant}: {{company: Half}}\n")

    done = kept("tenants", "map", "--accept-exact")

    assert (done.exit_code, done.json["pairs"], done.json["changed"]) == (0, [], False)
    why = {each["tenant_id"]: each["reason"] for each in done.json["passed"]}
    assert "tenants of an equal name: Twice GmbH" in why[twice.tenant]
    assert "several companies have an equal name" in why[doubled.tenant]
    assert "several active agreements" in why[choice.tenant]
    assert "has no active agreement" in why[bare.tenant]
    assert "is mapped to Somebody else" in why[taken.tenant]
    assert why[nameless.id] == "it has no name"
    assert "company 'Half' already" in why[half.tenant]
    commands = {each["tenant_id"]: each["next"] for each in done.json["passed"]}
    assert commands[choice.tenant] == f"connector tenants map {choice.tenant} Choice"


def test_nothing_is_left_to_do_when_all_are_mapped(msp: Msp, run: Run) -> None:
    msp.customer("Alder")
    done = run.text("tenants", "map", "--accept-exact")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "says so already" in done.stderr


def test_a_map_that_is_not_there_is_made(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    run.map_kept = True
    assert run("tenants", "map", alder.tenant, "Alder", "Managed Security").exit_code == 0
    assert Path(run.folder, "mappings.yaml").exists()
    assert entry(run, alder.tenant) == TenantEntry("Alder Ltd", "Alder", "Managed Security")
