"""What a night costs, measured against the built-in simulator: python -m bench --help."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import get_args

from bench.fewest import Mode
from bench.scenarios import MODES, SCENARIOS, Bench, Night, Scenario, Weather
from bench.tables import document, markdown, put_into

README = Path(__file__).with_name("README.md")


def main() -> int:
    """Measure what was asked for, print the tables, and end with 1 where a scenario did not do its work."""
    asked = _asked()
    weather = Weather(asked.latency / 1000, asked.limits, asked.patience * 60)
    nights: list[Night] = []
    scripts: list[Night] = []
    for tenants in asked.tenants:
        with tempfile.TemporaryDirectory(prefix="connector-bench-", ignore_cleanup_errors=True) as folder:
            bench = Bench(tenants, Path(folder), weather, _say)
            nights += [bench.night(scenario, mode) for scenario in asked.scenarios for mode in asked.mode]
            script = bench.script() if asked.baseline else None
            scripts += [script] if script else []
    tables = markdown(nights, scripts, weather)
    print(tables, end="")  # noqa: T201
    if asked.json:
        text = json.dumps(document(nights, scripts, weather), indent=2)
        asked.json.write_text(text + "\n", encoding="utf-8")
    wrong = any(night.faults for night in (*nights, *scripts))
    if asked.write and not wrong:
        README.write_text(put_into(README.read_text("utf-8"), tables), encoding="utf-8", newline="\n")
    return 1 if wrong else 0


def _asked() -> argparse.Namespace:
    said = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures connector sync against the built-in simulator, each scenario a process of its "
        "own, and looks at what it left behind.",
    )
    said.add_argument("--tenants", type=_sizes, default=(100, 1_000, 5_000, 20_000), metavar="N,N")
    said.add_argument("--scenarios", type=_scenarios, default=SCENARIOS, metavar=",".join(SCENARIOS))
    said.add_argument("--mode", type=_modes, default=MODES, metavar=",".join(MODES))
    said.add_argument("--latency", type=int, default=100, metavar="MS", help="for each request [100]")
    said.add_argument(
        "--limits", action=argparse.BooleanOptionalAction, default=True, help="the vendors' [on]"
    )
    said.add_argument(
        "--patience",
        type=float,
        default=15,
        metavar="MINUTES",
        help="what must take longer than that is measured without latency and limits, and marked [15]",
    )
    said.add_argument("--baseline", action="store_true", help="measure an MSP's own script, too")
    said.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    said.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    return said.parse_args()


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _scenarios(text: str) -> tuple[Scenario, ...]:
    return tuple(each for each in SCENARIOS if each in _parts(text, get_args(Scenario)))


def _modes(text: str) -> tuple[Mode, ...]:
    return tuple(each for each in MODES if each in _parts(text, get_args(Mode)))


def _parts(text: str, known: tuple[str, ...]) -> set[str]:
    parts = set(text.split(","))
    if not parts <= set(known):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(known)}")
    return parts


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
