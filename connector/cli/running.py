"""Begins a run as every command does: settings first, then the map, then the lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.cli.invocation import Invocation
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal

if TYPE_CHECKING:
    from connector.planning.findings import Options
    from connector.planning.sources import Source
    from connector.runs.pipeline import Pipeline


@contextmanager
def begun_run(
    called: Invocation, kind: str, options: "Options", source: "Source", *, asks: bool = False
) -> "Iterator[Pipeline]":
    """Check the settings and the map, in this order, then begin the run.

    One that `asks` draws no bar: it would garble the question.
    """
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.planning.sources import FILE
    from connector.runs.session import begun

    terminal = Terminal(verbose=called.common.verbose)
    setup = make_setup(called, Mappings(), terminal, sophos=source != FILE)
    file = read_mappings_file(called.mappings_path)
    setup = replace(setup, mappings=file.mappings, map_text=file.data.decode("utf-8-sig"))
    with begun(setup, kind, options, source) as pipeline:
        if asks:
            yield pipeline
        else:
            with terminal.shown():
                yield pipeline
