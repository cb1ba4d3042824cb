"""mappings.yaml on disk: written whole or not at all, and never over somebody else's change."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.errors import CommandFault, MappingsFault, MappingsMoved, Refused, SettingsFault
from connector.mappings import Drop, Edit, Put, edit_file, load_mappings, read_mappings_file, save
from connector.mappings import file as on_disk

BEFORE = b"version: 1\r\nproducts:\r\n  A: {item: B}   # b\r\n"
AFTER = BEFORE + b"  C:\r\n    item: D\r\n"
EDIT = Put(("products", "C", "item"), "D")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder of its own, whose name has a space."""
    folder = tmp_path / "a desk"
    folder.mkdir()
    path = folder / "mappings.yaml"
    path.write_bytes(BEFORE)
    return path


def only_the_file_is_there(path: Path) -> bool:
    return [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_saved_edit_is_read_again(path: Path) -> None:
    edited = edit_file(read_mappings_file(path), [EDIT])
    assert path.read_bytes() == BEFORE

    save(edited)

    assert path.read_bytes() == AFTER == edited.data
    assert load_mappings(path) == edited.mappings
    assert only_the_file_is_there(path)


def test_an_edit_that_changes_nothing_writes_nothing(path: Path) -> None:
    edited = edit_file(
        read_mappings_file(path), [Drop(("products", "X")), Put(("products", "A", "item"), "B")]
    )
    path.unlink()

    save(edited)

    assert edited.diff == ""
    assert not path.exists()


def test_a_new_file_says_which_schema_it_follows(path: Path) -> None:
    path.unlink()
    file = read_mappings_file(path, create=True)
    edited = edit_file(file, [EDIT])

    save(edited)

    text = path.read_text(encoding="utf-8")
    assert not file.exists
    assert text.startswith("# yaml-language-server: $schema=mappings.schema.json\n")
    assert text.endswith("\nversion: 1\n\nproducts:\n  C:\n    item: D\n")
    assert edited.diff.startswith(f"--- /dev/null\n+++ {path}\n@@ -0,0 +1,9 @@\n+# yaml-language-server")
    assert edited.diff.endswith("+version: 1\n+\n+products:\n+  C:\n+    item: D\n")


def test_what_cannot_be_read_is_told_as_everywhere(path: Path) -> None:
    with pytest.raises(SettingsFault, match=r"There is no mappings file at .*absent\.yaml \(from \.env\)"):
        read_mappings_file(path.with_name("absent.yaml"), given_by=".env")
    with pytest.raises(SettingsFault, match="cannot be read"):
        read_mappings_file(path.parent, create=True)
    path.write_bytes(b"version: 2\n")
    with pytest.raises(MappingsFault, match="version: must be 1"):
        read_mappings_file(path)


# The diff ----------------------------------------------------------------------------------------


def test_the_diff_shows_what_changes_with_three_lines_around_it(path: Path) -> None:
    lines = [f"  P{n}: {{item: {n + 1}}}" for n in range(20)]
    path.write_text("\n".join(["version: 1", "products:", *lines, "# \x41\u202e\ttab"]), encoding="utf-8")
    edits: list[Edit] = [
        Put(("products", "P1", "item"), "X"),
        Drop(("products", "P3")),
        Drop(("products", "P15")),
        Put(("products", "Z"), {}),
        Put(("firewalls", "S"), "T"),
    ]

    assert edit_file(read_mappings_file(path), edits).diff == (
        f"--- {path}\n+++ {path}\n"
        "@@ -1,9 +1,8 @@\n version: 1\n products:\n   P0: {item: 1}\n-  P1: {item: 2}\n+  P1: {item: X}\n"
        "   P2: {item: 3}\n-  P3: {item: 4}\n   P4: {item: 5}\n   P5: {item: 6}\n   P6: {item: 7}\n"
        "@@ -15,9 +14,12 @@\n   P12: {item: 13}\n   P13: {item: 14}\n   P14: {item: 15}\n-  P15: {item: 16}\n"
        "   P16: {item: 17}\n   P17: {item: 18}\n   P18: {item: 19}\n   P19: {item: 20}\n+  Z: {}\n"
        "-# A\\u202e\\x09tab\n\\ No newline at end of file\n"
        "+# A\\u202e\\x09tab\n+\n+firewalls:\n+  S: T\n\\ No newline at end of file\n"
    )


def test_the_diff_of_a_first_line_shows_that_line(path: Path) -> None:
    path.write_bytes(b"products: {}\nversion: 1\n")

    edited = edit_file(read_mappings_file(path), [Drop(("products",))])

    assert edited.diff == f"--- {path}\n+++ {path}\n@@ -1,2 +1,1 @@\n-products: {{}}\n version: 1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs patch(1)")
def test_the_diff_can_be_applied(path: Path) -> None:
    lines = "".join(f"  P{n}:\n    item: {n + 1}\n" for n in range(50))
    path.write_text(f"version: 1\nproducts:\n{lines}", encoding="utf-8")
    edits = [Drop(("products", f"P{n}")) for n in range(0, 50, 7)]
    edited = edit_file(
        read_mappings_file(path),
        [*edits, *(Put(("products", f"P{n}", "sync"), False) for n in range(4, 50, 9))],
    )
    try:
        subprocess.run(["patch", "-s", str(path)], input=edited.diff.encode(), check=True)
    except FileNotFoundError:
        pytest.skip("patch(1) is not installed")

    assert path.read_bytes() == edited.data


# Two at once -------------------------------------------------------------------------------------


def test_a_file_changed_meanwhile_is_left_as_it_is(path: Path) -> None:
    edited = edit_file(read_mappings_file(path), [EDIT])
    path.write_bytes(BEFORE + b"# a colleague\r\n")

    with pytest.raises(MappingsMoved, match="was changed by someone else") as caught:
        save(edited)

    assert path.read_bytes() == BEFORE + b"# a colleague\r\n"
    assert isinstance(caught.value, Refused)
    assert (caught.value.code, caught.value.exit_code) == ("MAPPINGS_MOVED", 4)
    assert only_the_file_is_there(path)


def test_a_file_that_vanished_or_appeared_meanwhile_is_refused(path: Path) -> None:
    edited = edit_file(read_mappings_file(path), [EDIT])
    path.unlink()
    with pytest.raises(MappingsMoved, match="is no longer there"):
        save(edited)
    assert not path.exists()

    new = edit_file(read_mappings_file(path, create=True), [EDIT])
    path.write_bytes(new.file.data)
    with pytest.raises(MappingsMoved, match="has been made by someone else"):
        save(new)


def test_of_many_who_read_the_same_file_exactly_one_is_let_through(path: Path) -> None:
    file = read_mappings_file(path)
    edits = [edit_file(file, [Put(("products", f"P{n}", "item"), n + 1)]) for n in range(16)]

    def outcome(n: int) -> bool:
        try:
            save(edits[n])
        except MappingsMoved:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        saved = list(pool.map(outcome, range(16)))

    assert saved.count(True) == 1
    assert path.read_bytes() == edits[saved.index(True)].data
    assert only_the_file_is_there(path)


ADD = """
    import sys
    from pathlib import Path
    from connector.errors import MappingsMoved
    from connector.mappings import Put, edit_file, read_mappings_file, save
    for n in range(10):
        while True:
            edit = Put(("products", sys.argv[2] + str(n), "item"), 1)
            try:
                save(edit_file(read_mappings_file(Path(sys.argv[1])), [edit]))
                break
            except MappingsMoved:
                continue
"""


def test_two_processes_that_try_again_lose_nothing(path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ADD), str(path)]
    both = [subprocess.Popen([*command, name]) for name in "XY"]

    assert [process.wait(60) for process in both] == [0, 0]
    assert len(load_mappings(path).products) == 21


def test_a_command_that_waits_too_long_for_another_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk, "_PATIENCE", 0)
    edited = edit_file(read_mappings_file(path), [EDIT])

    with (
        on_disk._alone(Path(os.path.realpath(path))),
        ThreadPoolExecutor(1) as other,
        pytest.raises(MappingsMoved, match="Another command is writing"),
    ):
        other.submit(save, edited).result()

    assert path.read_bytes() == BEFORE


# What can go wrong -------------------------------------------------------------------------------


KILLED = """
    import os, sys
    from pathlib import Path
    from connector.mappings import Put, edit_file, read_mappings_file, save
    os.replace = Path.replace = lambda *_: os._exit(9)
    save(edit_file(read_mappings_file(Path(sys.argv[1])), [Put(("products", "C", "item"), "D")]))
"""


def test_a_kill_before_the_file_is_replaced_leaves_the_old_one_and_says_what_the_other_is(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(path)], check=False)

    assert killed.returncode == 9
    assert path.read_bytes() == BEFORE
    [left] = [found for found in path.parent.iterdir() if found != path]
    assert left.name.startswith("mappings.yaml.")
    assert left.name.endswith(".unsaved-by-connector")
    save(edit_file(read_mappings_file(path), [EDIT]))
    assert path.read_bytes() == AFTER


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_or_an_editor_that_holds_the_file_leaves_it_unchanged(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    edited = edit_file(read_mappings_file(path), [EDIT])
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(
        CommandFault, match=r"could not be written: No space left on device\. It is unchanged\."
    ) as caught:
        save(edited)

    assert caught.value.exit_code == 2
    assert path.read_bytes() == BEFORE
    assert only_the_file_is_there(path)


def test_a_read_only_file_stays_as_it_is(path: Path) -> None:
    path.chmod(0o444)

    with pytest.raises(CommandFault, match="it is read-only"):
        save(edit_file(read_mappings_file(path), [EDIT]))

    assert path.read_bytes() == BEFORE
    path.chmod(0o644)


def test_a_folder_that_is_not_there_is_no_place_for_a_new_file(tmp_path: Path) -> None:
    file = read_mappings_file(tmp_path / "absent" / "mappings.yaml", create=True)

    with pytest.raises(CommandFault, match="could not be written"):
        save(edit_file(file, [EDIT]))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_permissions_stay(path: Path) -> None:
    path.chmod(0o666)  # more than a new file would get

    save(edit_file(read_mappings_file(path), [EDIT]))

    assert stat.S_IMODE(path.stat().st_mode) == 0o666


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_one_and_its_target_is_written(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(path)

    save(edit_file(read_mappings_file(link), [EDIT]))

    assert link.is_symlink()
    assert path.read_bytes() == AFTER
    assert only_the_file_is_there(path)


def test_the_lock_lies_in_the_temporary_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with on_disk._alone(path):
        [lock] = tmp_path.glob("connector-mappings-*.lock")

    assert only_the_file_is_there(path)
    assert lock.name.startswith("connector-mappings-")
