"""Two plans of one month, made with two maps."""

from building import ALDER, BIRCH, Month

from connector.model import ProductEntry
from connector.planning.comparison import Comparison


def used() -> Month:
    return Month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).uses(ALDER, "NDR-MSP", 2)


def test_one_map_beside_itself_changes_nothing() -> None:
    assert Comparison(used().plan(), used().plan()).same


def test_what_only_the_later_map_does_is_new_and_what_it_settles_is_said() -> None:
    later = used()
    later.products["NDR-MSP"] = ProductEntry("NDR", "SOPHOS-EMAIL")
    found = Comparison(used().plan(), later.plan())
    assert [(change.kind, change.after) for change in found.new] == [("create", 2)]
    assert [entry.product_code for entry in found.settled] == ["NDR-MSP"]
    assert (found.no_more, found.unsettled, found.same) == ((), (), False)


def test_what_the_later_map_does_not_do_any_more_is_said() -> None:
    later = used()
    del later.tenants[BIRCH]
    found = Comparison(used().plan(), later.plan())
    assert [change.after for change in found.no_more] == [3]
    assert [(entry.code, entry.tenant_id) for entry in found.unsettled] == [("UNMAPPED_TENANT", BIRCH)]
    assert (found.new, found.settled) == ((), ())


def test_a_directory_made_anew_finds_the_same_and_has_noticed_nothing() -> None:
    placer = used().placer()
    assert placer.directory.item("SOPHOS-ENDPOINT") == placer.directory.anew().item("SOPHOS-ENDPOINT")
    assert placer.directory.learned
    assert not placer.directory.anew().learned
