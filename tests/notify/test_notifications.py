"""People who do not watch are told what needs them: once, in few words, and never at the run's expense."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from filelock import FileLock
from months.msp import ENDPOINT, Msp
from notify.listening import PASSWORD, Hook, hanging, nobody, smtp
from notify.nights import QUICK, Nights

from connector.errors import Fault as MapFault
from connector.errors import MappingsFault, NotPublished, RunInProgress, SettingsFault, Unreachable
from connector.ledger import Ledger
from connector.ledger.notices import settled_causes, told_causes
from connector.model import Period
from connector.planning.findings import Options
from connector.reports.night import NightReport, Step
from connector.runs.nightly import Nightly
from connector.runs.telling.night_causes import causes_of_night
from connector.runs.telling.notify import LOCK_NAME, Notifier
from connector.settings import NotifySettings
from connector.simulator import Fault, Simulator
from connector.vendors.connectwise_tickets import ConnectWiseTickets

OCTOBER = Period(2026, 10)
NIGHT = timedelta(days=1)


def texts(hook: Hook) -> list[str]:
    return [posted.json["message"] for posted in hook.posted]


def test_a_night_without_a_hitch_tells_nobody(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert nights.night() == ()
    assert nights.report is not None
    assert nights.report.exit_code == 0
    assert hook.posted == []


def test_what_needs_a_person_is_told_once_with_its_money_and_its_command(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    birch = msp.customer("Birch", {"NDR-MSP": 1})
    assert nights.night() == ()

    (posted,) = hook.posted
    assert posted.json["title"] == "Sophos billing of examplemsp: UNMAPPED_PRODUCT, NDR-MSP"
    text = posted.json["message"]
    assert "2026-10: 1 change made, 2 unresolved." in text
    assert "NDR-MSP is used by 2 tenants (3 in 2026-10) and has no item in mappings.yaml" in text
    assert "Money: 4.2 USD." in text
    assert "Next: connector products map NDR-MSP" in text

    nights.night(msp.world.today + NIGHT)
    assert len(hook.posted) == 1  # they know

    alder.uses("NDR-MSP", 5)
    nights.night(msp.world.today + NIGHT)
    assert "Changed: UNMAPPED_PRODUCT: NDR-MSP is used by 2 tenants (6 in" in texts(hook)[1]

    msp.maps("NDR-MSP", "SOPHOS-NDR")
    nights.night(msp.world.today + NIGHT)
    assert len(hook.posted) == 2  # what is settled waits for the next message
    assert birch.bills == {"SOPHOS-NDR": 1}

    msp.next_month()
    birch.uses("XDR-MSP", 1)
    nights.night()
    assert texts(hook)[2].endswith("Settled: UNMAPPED_PRODUCT NDR-MSP.")
    nights.night(msp.world.today + NIGHT)
    assert len(hook.posted) == 3


def test_what_they_know_is_only_counted(nights: Nights, msp: Msp, hook: Hook) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    nights.night()
    alder.uses("XDR-MSP", 1)
    nights.night(msp.world.today + NIGHT)

    assert hook.posted[1].json["title"] == "Sophos billing of examplemsp: UNMAPPED_PRODUCT, XDR-MSP"
    assert "NDR-MSP" not in texts(hook)[1]
    assert texts(hook)[1].endswith("1 told before and still open: connector diagnose")


def test_many_causes_are_one_message_that_names_ten(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12} | {f"P{number:02}-MSP": 1 for number in range(33)})
    nights.night()

    (text,) = texts(hook)
    assert text.count("UNMAPPED_PRODUCT: ") == 10
    assert text.rstrip().endswith("and 23 more: connector diagnose")
    assert hook.posted[0].json["title"] == "Sophos billing of examplemsp: 33 things need you"
    nights.night(msp.world.today + NIGHT)
    assert len(hook.posted) == 1  # those that it counted only are told, too


def test_a_message_that_nobody_took_is_sent_again(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    hook.statuses = [500, 500, 200]
    nights.addresses.append(f"xml://u:{PASSWORD}@127.0.0.1:{nobody()}/")
    first = nights.night()
    nights.heartbeat = f"{hook.url}/secret-path"
    second = nights.night(msp.world.today + NIGHT)

    assert [line.partition(":")[0] for line in (*first, *second)] == [
        "Notification 1 of 2, json",
        "Notification 2 of 2, xml",
    ] * 2
    assert [posted.method for posted in hook.posted] == ["POST", "POST"]  # and no heartbeat: nobody knows
    third = nights.night(msp.world.today + NIGHT)
    assert third[0].startswith("Notification 2 of 2, xml")
    assert [posted.method for posted in hook.posted] == ["POST", "POST", "POST", "GET"]
    nights.night(msp.world.today + NIGHT)
    assert [posted.method for posted in hook.posted[4:]] == ["GET"]


def test_an_outage_is_told_once_and_settles_nothing_else(
    nights: Nights, msp: Msp, hook: Hook, simulator: Simulator
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    nights.night()
    for kind in ("503", "500"):
        simulator.faults.add(Fault(kind, vendor="sophos", times=20))
        nights.night(msp.world.today + NIGHT)
        simulator.faults.clear()
    assert nights.report is not None
    assert nights.report.exit_code == 5
    assert len(hook.posted) == 2
    assert hook.posted[1].json["title"] == "Sophos billing of examplemsp: UNREACHABLE, Sophos"
    assert "Next: connector doctor" in texts(hook)[1]

    nights.night(msp.world.today + NIGHT)
    assert len(hook.posted) == 2  # it works again, and the product is still what they know
    msp.maps("NDR-MSP", "SOPHOS-NDR")
    nights.night(msp.world.today + NIGHT)
    msp.next_month()
    msp.customers(1, "XDR-MSP")
    nights.night()
    assert "Settled: UNREACHABLE Sophos; UNMAPPED_PRODUCT NDR-MSP." in texts(hook)[2]


def test_what_comes_back_before_it_was_called_settled_is_news_and_not_settled(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    nights.night()
    alder.stops("NDR-MSP")
    nights.night(msp.world.today + NIGHT)
    msp.next_month()
    alder.uses("NDR-MSP", 2)
    nights.night()

    assert len(hook.posted) == 2
    assert "Settled" not in texts(hook)[1]


def test_a_month_that_is_missing_is_an_alert_when_it_is_overdue_and_not_before(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    nights.heartbeat = f"{hook.url}/ping"
    day = date(2026, 10, 29)
    setup = nights.setup(day)
    missing = NotPublished("Sophos has not published 2026-10.", "Wait for it.")
    assert nights.tell(setup, NightReport(day, (Step(OCTOBER, "sophos-api", error=missing),))) == ()
    assert [posted.path for posted in hook.posted] == ["/ping"]

    late = NightReport(day, (Step(OCTOBER, "sophos-api", error=missing, overdue=True),))
    nights.tell(setup, late)
    nights.tell(setup, late)
    assert [posted.path for posted in hook.posted] == ["/ping", "/hook"]
    assert "NOT_PUBLISHED: Sophos has not published 2026-10." in hook.posted[1].json["message"]


def test_a_guard_a_held_change_and_a_refused_one_are_each_told(
    nights: Nights, msp: Msp, hook: Hook, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    nights.night()
    msp.next_month()
    alder.uses("CIXA-MSP", 900)
    birch.uses("CIXA-MSP", 4)
    simulator.faults.add(Fault("403", vendor="connectwise", method="PATCH"))
    nights.night()

    assert nights.report is not None
    assert nights.report.exit_code == 6
    (text,) = texts(hook)
    assert "FAILED: SOPHOS-ENDPOINT of Birch is not at 4 as it should be" in text
    assert "LARGE_INCREASE: SOPHOS-ENDPOINT of Alder is held at 12 and would be 900 for 2026-11: " in text
    assert (
        f"Next: connector sync 2026-11 --tenant {alder.tenant} --product CIXA-MSP --force LARGE_INCREASE\n"
    ) in f"{text}\n"

    nights.night(msp.world.today + NIGHT)  # it works now, the other still waits
    msp.next_month()
    msp.mappings["guards"] = {"at_least": 1}
    birch.stops("CIXA-MSP")
    birch.uses("CEMA-MSP", 1)
    nights.night()
    said = texts(hook)[1]
    assert "removals: 1 of 2 managed additions would go to zero or end (50 %; the limit is 30 %)" in said
    assert "Next: connector sync 2026-12 --force removals" in said
    assert "Changed: LARGE_INCREASE: SOPHOS-ENDPOINT of Alder" in said  # another month goes without it
    assert said.endswith("Settled: FAILED SOPHOS-ENDPOINT of Birch.")


def test_a_restated_month_is_told_and_the_month_stays(nights: Nights, msp: Msp, hook: Hook) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    nights.night()
    alder.uses("CIXA-MSP", 15)
    nights.night(msp.world.today + NIGHT)
    nights.night(msp.world.today + NIGHT)

    (text,) = texts(hook)
    assert "RESTATED: Alder Ltd" in text
    assert "12 of 2026-10 were billed, and it is 15 now" in text
    assert "Next: connector sync 2026-10 --restate" in text
    assert alder.bills == {ENDPOINT: 12}


def test_success_is_told_only_where_the_map_asks_and_something_was_billed(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.mappings["notify"] = {"success": True}
    msp.customer("Alder", {"CIXA-MSP": 12})
    nights.night()
    nights.night(msp.world.today + NIGHT)

    (posted,) = hook.posted
    assert (posted.json["title"], posted.json["message"], posted.json["type"]) == (
        "Sophos billing of examplemsp: 2026-10 is billed",
        "Sophos billing of examplemsp\n\n2026-10: 1 change made.",
        "success",
    )


def test_a_hostile_name_forges_no_line_and_no_markup(nights: Nights, msp: Msp, hook: Hook) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12}, mapped=False)
    name = "Evil\nNext: connector sync --force all\x1b[31m <!channel> [pay](http://x) @everyone\u202e"
    msp.world.tenants[alder.tenant].name = name
    with smtp() as box:
        nights.addresses.append(box.address)
        assert nights.night() == ()

    (mail,) = box.mails
    assert mail.get_content_type() == "text/plain"
    for text in (texts(hook)[0], mail.get_content()):
        lines = [line for line in text.splitlines() if line.startswith("Next: ")]
        assert lines == [f"Next: connector tenants map {alder.tenant}"]
        assert not {"\x1b", "\u202e", "<", ">"} & set(text)
        assert "](" not in text
        assert "@everyone" not in text


def test_the_exit_code_and_the_month_stand_whatever_becomes_of_the_message(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 1})
    hook.statuses = [500]
    with hanging() as port:
        nights.addresses = [
            f"mailto://u:{PASSWORD}@127.0.0.1:{port}?mode=insecure&from=c@b.example&to=a@b.example",
            "rubbish",
        ]
        warnings = nights.night()

    assert [warning.partition(": ")[2].partition(" ")[0] for warning in warnings] == ["it", "apprise"]
    assert nights.report is not None
    assert nights.report.exit_code == 3
    assert alder.bills == {ENDPOINT: 12}


def test_without_an_address_nothing_is_sent_or_remembered(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    kept, nights.addresses = nights.addresses, []
    nights.heartbeat = f"{hook.url}/ping"
    nights.night()
    assert hook.posted == []  # nobody knows, so it is no good night

    nights.addresses = kept
    nights.night(msp.world.today + NIGHT)
    assert [posted.path for posted in hook.posted] == ["/hook", "/ping"]


def test_a_broken_state_folder_is_told_and_so_is_that_it_cannot_be_remembered(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    nights.night()
    assert nights.report is not None
    setup = nights.without_its_ledger(nights.setup(msp.world.today))
    hook.posted.clear()
    warnings = nights.tell(setup, nights.report)

    assert [warning.partition(":")[0] for warning in warnings] == [
        "What people were told cannot be remembered"
    ]
    assert "How much money it is about is not known." in texts(hook)[0]


def test_a_night_that_could_not_begin_is_told_once_until_it_changes(hook: Hook, tmp_path: Path) -> None:
    notifier = Notifier(
        NotifySettings((hook.address("json"),)),
        tmp_path / "state",
        lambda: datetime.now(UTC),
        timings=QUICK,
    )
    fault = MappingsFault("mappings.yaml", (MapFault(3, 4, "unknown key"),))
    assert notifier.tell_error(fault) == ()
    notifier.tell_error(fault)
    notifier.tell_error(SettingsFault("SOPHOS_CLIENT_ID is missing.", "Set it."))

    assert [text.splitlines()[0] for text in texts(hook)] == [
        "MAPPINGS: mappings.yaml is at fault: 3:4 unknown key",
        "SETTINGS: SOPHOS_CLIENT_ID is missing.",
    ]
    assert notifier.tell_error(NotPublished("nothing")) == ()
    assert len(hook.posted) == 2


def test_the_heartbeat_goes_out_where_each_cause_has_a_ticket_and_not_where_one_has_none(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    nights.addresses, nights.heartbeat = [], f"{hook.url}/ping"
    msp.mappings["notify"] = {"ticket": {"company": "OurMsp"}}
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    assert len(nights.night()) == 1  # there is no such company
    assert hook.posted == []

    msp.world.add_company("OurMsp", "Our MSP")
    nights.night(msp.world.today + NIGHT)
    assert [posted.path for posted in hook.posted] == ["/ping"]


def test_success_is_told_although_something_is_open_and_says_how_much(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.mappings["notify"] = {"success": True}
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    nights.night()
    alder.uses("CIXA-MSP", 13)
    nights.night(msp.world.today + NIGHT)

    assert hook.posted[1].json["title"] == "Sophos billing of examplemsp: 2026-10 is billed"
    assert texts(hook)[1].endswith("\n\n1 told before and still open: connector diagnose")


def test_what_a_newer_month_went_before_is_told_once_as_passed_with_its_money_and_never_as_settled(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    birch = msp.customer("Birch", {"CIXA-MSP": 7}, mapped=False)
    nights.night()
    money = re.findall(r"Money: .+", texts(hook)[0])
    assert money
    msp.next_month()
    birch.stops("CIXA-MSP")
    nights.night()
    assert len(hook.posted) == 1
    hook.statuses = [500, 200]
    nights.night(msp.world.today + NIGHT)  # nobody took it
    for _ in range(3):
        nights.night(msp.world.today + NIGHT)

    assert len(hook.posted) == 3
    said = texts(hook)[2]
    assert "PASSED: a newer month is billed, so no run bills this of 2026-10 any more: Birch" in said
    assert "7 CIXA-MSP in 2026-10" in said
    assert money[0] in said
    assert "Next: connector usage show 2026-10" in said
    assert "Settled" not in said


def test_what_a_person_finished_by_hand_is_settled_the_next_night(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    nights.night()
    msp.maps("NDR-MSP", "SOPHOS-NDR")
    Nightly(nights.setup(msp.world.today + NIGHT), Options()).run()  # a run that tells nobody
    nights.night(msp.world.today + NIGHT)
    assert nights.report is not None
    assert [step.note for step in nights.report.steps] == ["as it was billed"]
    with Ledger(nights.state) as ledger:
        assert [told.code for told in settled_causes(ledger)] == ["UNMAPPED_PRODUCT"]
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-NDR": 2}


def test_a_month_that_is_restated_long_ago_is_no_more_open_and_nobody_is_told_so(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    nights.night()
    alder.uses("CIXA-MSP", 15)
    nights.night(msp.world.today + NIGHT)
    for _ in range(3):
        msp.next_month()
        nights.night()
        nights.night(msp.world.today + NIGHT)
    with Ledger(nights.state) as ledger:
        assert (told_causes(ledger), settled_causes(ledger)) == ({}, ())
    assert not any("Settled" in text for text in texts(hook))


def test_a_month_that_is_late_is_told_by_its_name_whatever_holds_it_up(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    day = date(2026, 12, 5)
    setup = nights.setup(day)
    cut = Unreachable("Sophos failed with 503.", "Later.", vendor="Sophos")
    late = Step(OCTOBER, "sophos-api", error=cut, overdue=True)
    waiting = Step(Period(2026, 11), "sophos-api", note="it waits until 2026-10 is billed", waits=True)
    nights.tell(setup, NightReport(day - NIGHT, (replace(late, overdue=False), waiting)))
    assert len(hook.posted) == 1
    assert "UNREACHABLE: Sophos failed with 503." in texts(hook)[0]
    assert "is not billed" not in texts(hook)[0]

    nights.tell(setup, NightReport(day, (late, replace(waiting, overdue=True))))
    assert "OVERDUE: 2026-10 is not billed: Sophos failed with 503." in texts(hook)[1]
    assert "OVERDUE: 2026-11 is not billed: it waits until 2026-10 is billed" in texts(hook)[1]
    nights.tell(setup, NightReport(day + NIGHT, (late, replace(waiting, overdue=True))))
    assert len(hook.posted) == 2


@pytest.mark.parametrize(
    ("guards", "fault", "why"),
    [
        ({}, "409", "not all of its changes were made"),
        ({"at_least": 1, "decrease": 0.1}, None, "it was refused by decrease"),
        ({}, None, None),
    ],
)
def test_a_late_month_that_was_refused_or_made_in_part_is_told_and_a_billed_one_is_not(
    nights: Nights,
    msp: Msp,
    simulator: Simulator,
    guards: dict[str, float],
    fault: str | None,
    why: str | None,
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    nights.night()
    msp.next_month()
    birch.uses("CIXA-MSP", 2)
    msp.mappings["guards"] = guards
    if fault:
        simulator.faults.add(Fault(fault, vendor="connectwise", method="PATCH"))  # type: ignore[arg-type]
    setup = nights.setup(msp.world.today)
    report = Nightly(setup, Options()).run()
    report = replace(report, steps=tuple(replace(step, overdue=True) for step in report.steps))

    causes = causes_of_night(report, setup.mappings, None)
    late = [cause.message for cause in causes if cause.code == "OVERDUE"]
    assert late == ([f"2026-11 is not billed: {why}"] if why else [])


def test_another_run_that_holds_the_folder_needs_nobody(nights: Nights, msp: Msp, hook: Hook) -> None:
    day = msp.world.today
    held = Step(OCTOBER, "sophos-api", error=RunInProgress("Another run holds it.", "Wait."))
    assert nights.tell(nights.setup(day), NightReport(day, (held,))) == ()
    assert hook.posted == []
    nights.tell(nights.setup(day), NightReport(day, (replace(held, overdue=True),)))
    assert "OVERDUE: 2026-10 is not billed: Another run holds it." in texts(hook)[0]


def test_two_nights_at_once_tell_once(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    setup = nights.setup(msp.world.today)
    report = Nightly(setup, Options()).run()
    at_once = Barrier(2)

    def telling() -> tuple[str, ...]:
        at_once.wait()
        return nights.tell(setup, report)

    with ThreadPoolExecutor(2) as pool:
        assert [each.result() for each in [pool.submit(telling) for _ in range(2)]] == [(), ()]
    assert len(hook.posted) == 1


def test_a_night_that_waits_too_long_for_another_to_tell_says_so(
    nights: Nights, msp: Msp, hook: Hook, tmp_path: Path
) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    nights.heartbeat = f"{hook.url}/ping"
    setup = nights.setup(msp.world.today)
    report = Nightly(setup, Options()).run()
    notifier = Notifier.of(setup)
    notifier.timings = replace(QUICK, turn=0.0)
    with FileLock(nights.state / LOCK_NAME):
        (warning,) = notifier.tell(report)
        assert notifier.tell_error(SettingsFault("A is missing.")) == (warning,)
    assert warning.startswith("Another night is telling people still")
    assert hook.posted == []
    assert notifier.tell(report) == ()
    assert [posted.path for posted in hook.posted] == ["/hook", "/ping"]


def test_settings_that_are_shown_hold_no_address(nights: Nights, msp: Msp) -> None:
    nights.heartbeat = f"https://ping.example/{PASSWORD}"
    setup = nights.setup(msp.world.today)
    assert PASSWORD not in repr(setup)
    assert PASSWORD in setup.settings.notify.addresses[0]
    assert setup.settings.notify.heartbeat.endswith(PASSWORD)


def test_a_fault_of_ours_in_telling_is_a_warning_by_its_kind_alone(
    nights: Nights, msp: Msp, hook: Hook
) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    msp.mappings["notify"] = {"ticket": {"company": "OurMsp"}}
    nights.night()
    setup = nights.setup(msp.world.today)

    def broken() -> ConnectWiseTickets:
        raise RuntimeError(PASSWORD)

    notifier = Notifier.of(setup)
    notifier.desk = broken
    assert nights.report is not None
    assert notifier.tell(nights.report) == ("Tickets broke off: RuntimeError",)


def test_a_ledger_that_breaks_in_the_middle_is_a_warning_too(nights: Nights, msp: Msp, hook: Hook) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    nights.night()
    with sqlite3.connect(nights.state / "connector.db") as database:
        database.execute("DROP TABLE told")
    database.close()
    setup = nights.setup(msp.world.today)
    assert nights.report is not None
    (warning,) = nights.tell(setup, nights.report)
    assert warning.startswith("Notifications: ")
    assert "told" in warning
