"""A second reader, ruamel.yaml, has to read the file as the loader does: so do editors and other tools."""

from decimal import Decimal
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connector.mappings.document import read_document
from connector.mappings.text import readable_text

ACCEPTED = sorted((Path(__file__).parent / "accepted").glob("*.yaml"))


def as_ruamel_reads(node: Node | None, yaml: YAML) -> object:
    """Return plain values with keys as typed, numbers through text, as the loader has them."""
    if isinstance(node, MappingNode):
        return {key.value: as_ruamel_reads(value, yaml) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [as_ruamel_reads(value, yaml) for value in node.value]
    if isinstance(node, ScalarNode):
        value = yaml.constructor.construct_object(node, deep=True)
        return Decimal(node.value) if type(value) is float else value
    return None


def as_the_loader_reads(data: bytes) -> object:
    return read_document(readable_text(data), [])


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_both_readers_read_the_same(path: Path) -> None:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)

    assert as_the_loader_reads(path.read_bytes()) == as_ruamel_reads(yaml.compose(path.read_bytes()), yaml)


@pytest.mark.parametrize("text", ["0x1F", "0o17", "1_000", "2026-10-01"])
def test_what_ruamel_takes_for_a_number_or_a_date_it_keeps_as_typed(text: str) -> None:
    node = YAML(typ="rt").compose(f"item: {text}")

    assert as_the_loader_reads(f"item: {text}".encode()) == {"item": text}
    assert node.value[0][1].value == text
