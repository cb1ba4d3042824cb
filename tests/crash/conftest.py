"""Adds up what the crash tests did, and says it at the end."""

from collections import Counter

import pytest

FIGURES = ("kill points tried", "runs killed", "duplicates", "lost")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all workers."""
    figures: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name in FIGURES and getattr(report, "when", "") == "call":
                    figures[name] += value
    if figures["kill points tried"]:
        told = ", ".join(f"{name}: {figures[name]}" for name in FIGURES)
        terminalreporter.write_line(f"crash suite: {told}")
