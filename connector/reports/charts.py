"""The shapes of a page's charts: where a bar stands and how long it is, as text for SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

WIDTH, HEIGHT = 240, 72
_FEWEST_SLOTS = 6
_GAP = Decimal("0.28")
_STEP = Decimal("0.1")
_LEAST_BAR = Decimal(1)
_ROUGH = Context(prec=12)


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of a chart; a `gap` stands where nothing is known."""

    x: str
    y: str
    width: str
    height: str
    gap: bool = False
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """A small chart of one bar a month, the newest at the right.

    `zero` is where its ground line runs, `start` how much room is left of the first bar, in percent.
    """

    bars: tuple[Bar, ...]
    zero: str
    start: str


def bars(values: Sequence[Decimal | None]) -> Bars:
    """Return a chart of these values; credits hang below the ground line."""
    known = [value for value in values if value is not None]
    top = max((*known, Decimal(0)))
    bottom = min((*known, Decimal(0)))
    spread = (top - bottom) or Decimal(1)
    slots = max(len(values), _FEWEST_SLOTS)
    slot = Decimal(WIDTH) / slots
    zero = _ROUGH.divide(top * HEIGHT, spread)
    found = []
    for at, value in enumerate(values, start=slots - len(values)):
        height = _ROUGH.divide(abs(value or Decimal(0)) * HEIGHT, spread)
        if value:
            height = max(height, _LEAST_BAR)
        y = min(zero, HEIGHT - height) if (value or 0) < 0 else max(zero - height, Decimal(0))
        found.append(
            Bar(
                x=_text(slot * at + slot * _GAP / 2),
                y=_text(y),
                width=_text(slot * (1 - _GAP)),
                height=_text(height),
                gap=value is None,
                newest=at == slots - 1,
            )
        )
    return Bars(tuple(found), _text(zero), percent(slots - len(values), slots))


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Return a share in percent with one place, rounded down: 100 only where it is all of it."""
    if whole <= 0:
        return "0"
    share = _ROUGH.divide(Decimal(part) * 100, Decimal(whole))
    return _text(min(max(share, Decimal(0)), Decimal(100)))


def _text(number: Decimal) -> str:
    text = f"{number.quantize(_STEP, rounding=ROUND_DOWN):f}"
    return text.removesuffix(".0")
