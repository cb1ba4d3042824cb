"""The tenant map in Excel: exported, filled in and imported, all of it or nothing."""

from datetime import date
from pathlib import Path

import pytest
from months.calling import Run
from months.msp import Customer, Msp

from connector.mappings.file import MappingsFile, edit_file
from connector.mappings.load import load_mappings
from connector.mappings.tenant_sheet import COLUMNS, Row, read_sheet, sheet_of
from connector.model import Agreement, Company, Mappings, TenantEntry
from connector.planning.customers import Customers
from connector.planning.directory import Directory
from connector.runs.tenant_import import import_rows

SHEET = "my sheet.csv"
STRANGER = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def kept(run: Run, msp: Msp) -> Run:
    """A desk with Alder mapped, Birch off and Cedar new; its map stays as the commands leave it."""
    for name in ("Alder", "Birch"):
        msp.customer(name, {"CIXA-MSP": 3})
    msp.mappings["tenants"][customer(msp, "Birch")]["sync"] = False
    msp.customer("Cedar", {"CIXA-MSP": 4}, mapped=False)
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    run.map_kept = True
    return run


def customer(msp: Msp, name: str) -> str:
    return next(each.id for each in msp.world.tenants.values() if each.name == f"{name} Ltd")


def entries(run: Run) -> dict[str, TenantEntry]:
    return dict(load_mappings(run.folder / "mappings.yaml").tenants)


def sheet(run: Run, *rows: str, encoding: str = "utf-8") -> None:
    text = "\r\n".join((",".join(COLUMNS), *rows)) + "\r\n"
    (run.folder / SHEET).write_bytes(text.encode(encoding))


def faults(run: Run, *rows: str) -> list[str]:
    """Import rows that must be refused; return what is said of each, and see that nothing changed."""
    before = (run.folder / "mappings.yaml").read_bytes()
    sheet(run, *rows)
    done = run("tenants", "import", SHEET)
    assert (done.exit_code, done.json["error"]["code"]) == (2, "SHEET")
    assert (run.folder / "mappings.yaml").read_bytes() == before
    return [line.strip() for line in done.json["error"]["message"].splitlines() if "row " in line]


# Export


def test_every_tenant_is_exported_and_new_ones_are_there_to_fill_in(msp: Msp, kept: Run) -> None:
    done = kept.text("tenants", "export", SHEET)
    assert (done.exit_code, done.stdout) == (0, "")
    assert 'connector tenants import "my sheet.csv" --dry-run' in done.stderr
    data = (kept.folder / SHEET).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert list(read_sheet(data)) == [
        Row(customer(msp, "Alder"), "Alder", "Alder", "Managed Security", sync=True),
        Row(customer(msp, "Birch"), "Birch", "Birch", "Managed Security", sync=False),
        Row(customer(msp, "Cedar"), "Cedar Ltd"),
    ]


def test_what_is_exported_and_imported_changes_nothing(msp: Msp, kept: Run) -> None:
    msp.world.merge_company(msp.world.company_named("Alder").id)  # at fault, and still no row's doing
    kept("tenants", "export", SHEET)
    before = (kept.folder / "mappings.yaml").read_bytes()
    done = kept("tenants", "import", SHEET)
    assert (done.exit_code, done.json["changed"]) == (0, False)
    assert (done.json["counts"]["rows"], done.json["counts"]["as_before"]) == (3, 3)
    assert done.json["notes"][0].startswith('row 2: as in mappings.yaml, but company: company "Alder" is not')
    assert (kept.folder / "mappings.yaml").read_bytes() == before


def test_a_file_that_is_there_is_replaced_only_if_asked(msp: Msp, kept: Run) -> None:
    (kept.folder / SHEET).write_text("mine")
    done = kept("tenants", "export", SHEET)
    assert (done.exit_code, "--overwrite" in done.json["error"]["next"]) == (2, True)
    assert (kept.folder / SHEET).read_text() == "mine"
    done = kept("tenants", "export", SHEET, "--overwrite")
    assert done.json == {"schema": "connector.sheet/1", "path": str(kept.folder / SHEET), "rows": 3}
    assert len(read_sheet((kept.folder / SHEET).read_bytes())) == 3
    assert [path.name for path in kept.folder.iterdir() if "unsaved" in path.name] == []


def test_it_can_never_be_written_over_the_map_or_where_nobody_can_write(kept: Run) -> None:
    before = (kept.folder / "mappings.yaml").read_bytes()
    assert kept("tenants", "export", "mappings.yaml", "--overwrite").exit_code == 2
    assert (kept.folder / "mappings.yaml").read_bytes() == before
    for options in ([], ["--overwrite"]):
        done = kept("tenants", "export", str(Path("no folder", SHEET)), *options)
        assert (done.exit_code, "could not be written" in done.json["error"]["message"]) == (2, True)
    (kept.folder / "a folder").mkdir()
    assert kept("tenants", "export", "a folder", "--overwrite").exit_code == 2
    assert sorted(path.name for path in kept.folder.iterdir()) == ["a folder", "mappings.yaml", "state"]


def test_a_dash_prints_the_sheet_without_anything_that_steers_a_terminal(msp: Msp, kept: Run) -> None:
    msp.world.add_tenant("=cmd|' /C calc'!A0 \u202eevil")
    shown = kept.text("tenants", "export", "-")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert "'=cmd|' /C calc'!A0 \\u202eevil" in shown.stdout
    assert len(shown.stdout.splitlines()) == 5
    document = kept("tenants", "export", "-").json
    assert (document["path"], document["rows"]) == (None, 4)
    assert document["text"] + "\n" == shown.stdout


# Import


def test_a_sheet_maps_moves_and_turns_tenants_on_and_off(msp: Msp, kept: Run) -> None:
    alder, birch, cedar = (customer(msp, name) for name in ("Alder", "Birch", "Cedar"))
    dull = msp.world.add_tenant("Dull")
    unsaid = msp.world.add_tenant("Unsaid")
    sheet(
        kept,
        f"{alder},Alder Group,Cedar,Managed Security,",
        f"{birch},,Birch,managed security,yes",
        f"{cedar},,Cedar,Managed Security,",
        f"{dull.id},,,,false",
        f"{unsaid.id},Unsaid,,,",
    )
    before = (kept.folder / "mappings.yaml").read_bytes()
    dry = kept.text("tenants", "import", SHEET, "--dry-run")
    assert dry.exit_code == 0
    assert "+    company: Cedar" in dry.stdout
    assert "5 rows: 1 mapped, 2 moved to another company or agreement" in dry.stdout
    assert (kept.folder / "mappings.yaml").read_bytes() == before

    done = kept("tenants", "import", SHEET)

    assert done.exit_code == 0
    counts = {"rows": 5, "mapped": 1, "moved": 2, "on": 1, "off": 1, "named": 1, "as_before": 1}
    assert done.json["counts"] == counts
    assert entries(kept) == {
        alder: TenantEntry("Alder Group", "Cedar", "Managed Security"),
        birch: TenantEntry("Birch", "Birch", "managed security"),
        cedar: TenantEntry("Cedar Ltd", "Cedar", "Managed Security"),
        dull.id: TenantEntry("Dull", sync=False),
    }
    assert kept("sync").exit_code == 0
    line = Customer(
        msp, cedar, msp.world.company_named("Cedar"), msp.world.agreement_named("Cedar"), {}
    ).line()
    assert line.quantity == 7
    assert kept("tenants", "import", SHEET).json["changed"] is False


def test_a_tenant_can_be_turned_off_whose_agreement_has_ended(msp: Msp, kept: Run) -> None:
    alder = customer(msp, "Alder")
    msp.world.agreement_named("Alder").cancelled = True
    sheet(kept, f"{alder},,Alder,Managed Security,false")
    assert kept("tenants", "import", SHEET).exit_code == 0
    assert entries(kept)[alder] == TenantEntry("Alder", "Alder", "Managed Security", sync=False)
    (flaw,) = faults(kept, f"{alder},,Alder,Managed Security,true")
    assert "is cancelled" in flaw


def test_all_faults_are_told_by_row_and_nothing_is_applied(msp: Msp, kept: Run) -> None:
    alder, cedar = customer(msp, "Alder"), customer(msp, "Cedar")
    company = msp.world.company_named("Cedar")
    old = msp.world.add_agreement(company.id, "Old", cancelled=True)
    for _ in range(2):
        msp.world.add_agreement(company.id, "Twin")
    gone = msp.world.add_company("Gone", "Gone Ltd")
    msp.world.merge_company(gone.id)
    more = [msp.world.add_tenant(f"More {number}").id for number in range(8)]

    told = faults(
        kept,
        f"{STRANGER},,Alder,Managed Security,",
        f"{alder},,,,",
        f"{cedar},,Nobody,Managed Security,",
        f"{more[0]},,Gone,Managed Security,",
        f"{more[1]},,{gone.id},Managed Security,",
        f"{more[2]},,Cedar Limited,Managed Security,",
        f"{more[3]},,Cedar,Old,",
        f"{more[4]},,Cedar,Twin,",
        f"{more[5]},,Cedar,{msp.world.agreement_named('Alder').id},",
        f"{more[6]},,Cedar,,",
        f"{more[7]},,,,true",
    )

    assert told[0] == f"row 2: tenant id: neither Sophos nor mappings.yaml knows '{STRANGER}'"
    assert "row 3: company: empty, but mappings.yaml names Alder" in told[1]
    assert f"connector tenants unmap {alder}" in told[1]
    assert told[2] == 'row 4: company: company "Nobody" is not in ConnectWise'
    assert "Gone, Gone Ltd" in told[3]
    assert "was deleted, or merged into another" in told[3]
    assert f"company {gone.id} was deleted in ConnectWise" in told[4]
    assert f"did you mean Cedar, Cedar Limited (id:{company.id})?" in told[5]
    assert f'agreement "Old" ({old.id}) is cancelled' in told[6]
    assert 'several active ones are called "Twin"' in told[7]
    assert "is not among those of company Cedar" in told[8]
    assert told[9] == "row 11: agreement: empty; active: Managed Security; Twin; Twin"
    assert told[10] == "row 12: sync: true, but no company and no agreement to bill"
    assert len(told) == 11


def test_a_company_without_any_agreement_has_none_to_offer(msp: Msp, kept: Run) -> None:
    msp.world.add_company("Empty", "Empty")
    assert faults(kept, f"{customer(msp, 'Cedar')},,Empty,,") == ["row 2: agreement: empty"]


def test_a_sheet_that_cannot_be_read_is_refused_before_any_request(msp: Msp, kept: Run) -> None:
    missing = kept("tenants", "import", "nothing.csv")
    assert (missing.exit_code, missing.requests) == (2, ())
    assert "could not be read" in missing.json["error"]["message"]
    alder = customer(msp, "Alder")
    told = faults(kept, f"{alder},,Alder,,maybe", f"{alder},,,,")
    assert told == [
        'row 2: sync: "maybe" is neither true nor false',
        "row 3: tenant id: the same as in row 2",
    ]


def test_a_sheet_of_excel_on_windows_is_read_and_hostile_cells_are_written_harmless(
    msp: Msp, kept: Run
) -> None:
    cedar = customer(msp, "Cedar")
    sheet(kept, f"{cedar},B\u00e4ckerei,Cedar,Managed Security,WAHR", encoding="cp1252")
    assert kept("tenants", "import", SHEET).exit_code == 0
    assert entries(kept)[cedar].name == "B\u00e4ckerei"
    sheet(kept, f'{cedar},"\u202e=cmd",Cedar,Managed Security,')
    assert kept("tenants", "import", SHEET).json["counts"]["named"] == 1
    assert entries(kept)[cedar].name == "\\u202e=cmd"


def test_tenants_of_the_map_that_sophos_does_not_list_are_exported_and_stay(msp: Msp, kept: Run) -> None:
    alder = customer(msp, "Alder")
    msp.world.remove_tenant(alder)
    kept("tenants", "export", SHEET)
    assert alder in {row.tenant_id for row in read_sheet((kept.folder / SHEET).read_bytes())}
    sheet(kept, f"{alder},,Cedar,Managed Security,")
    assert kept("tenants", "import", SHEET).exit_code == 0
    assert entries(kept)[alder].company == "Cedar"
    assert len(entries(kept)) == 2


def test_the_first_map_can_come_from_a_sheet(msp: Msp, kept: Run) -> None:
    (kept.folder / "mappings.yaml").unlink()
    cedar = customer(msp, "Cedar")
    kept("tenants", "export", SHEET)
    assert all(row.company is None for row in read_sheet((kept.folder / SHEET).read_bytes()))
    sheet(kept, f"{cedar},,Cedar,Managed Security,")
    assert kept("tenants", "import", SHEET).exit_code == 0
    assert entries(kept) == {cedar: TenantEntry("Cedar Ltd", "Cedar", "Managed Security")}


def test_a_thousand_rows_are_mapped_by_one_edit_that_touches_nothing_else() -> None:
    count = 1_000
    names = {f"{number:08}-0000-4000-8000-000000000000": f"Customer {number}" for number in range(count)}
    directory = Directory(
        companies=[Company(number + 1, f"Customer{number}") for number in range(count)],
        agreements=[Agreement(number + 1, "Managed Security", number + 1) for number in range(count)],
        items=(),
        remembered={},
        today=date(2026, 10, 28),
    )
    data = sheet_of(
        Row(tenant_id, name, name.replace(" ", ""), "Managed Security") for tenant_id, name in names.items()
    )
    start = b"version: 1 # ours\n"

    made = import_rows(read_sheet(data), Mappings(), names, Customers(directory))
    edited = edit_file(MappingsFile(Path("mappings.yaml"), start, Mappings()), made.edits)

    assert (made.flaws, made.counts["mapped"], len(edited.mappings.tenants)) == ([], count, count)
    assert edited.data.startswith(start)
    assert edited.diff.count("\n+    company: ") == count
