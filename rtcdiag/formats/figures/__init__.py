"""The figures of the page: geometry only, as plain values; the templates draw them."""

import math

from rtcdiag.formats.safe import clean


def nice_step(span: float, most: int = 4) -> float:
    """Return a round distance between ticks, 1, 2 or 5 times a power of ten, so that at most ``most`` fit in a span."""
    raw = max(span, 1e-3) / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)


def ticks(span: float) -> tuple[tuple[float, float], ...]:
    """Return the ticks of an axis from 0 to ``span``: value and place in percent."""
    step = nice_step(span)
    return tuple((number * step, percent(number * step, span)) for number in range(int(span / step) + 1))


def percent(value: float, span: float) -> float:
    """Return the place of a value on an axis from 0 to ``span``, 0 to 100."""
    return round(min(100.0, max(0.0, 100 * value / span)), 2) if span > 0 else 0.0


def shorten(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters that print, the middle left out."""
    text = clean(text)
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
