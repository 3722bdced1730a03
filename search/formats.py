"""How numbers and paths are written, the same in tables, pictures and progress lines."""

from pathlib import Path

from evaluators.base import Measurement

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
SPANS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (3 * 60, 60, "minutes"), (0, 1, "seconds"))
"""From which number of seconds on an axis of time counts in which unit."""


def scientific(value: float) -> str:
    """Three digits and a bare exponent: 1.49e8, as papers print bit operations; 0 is "0"."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def size(count: float) -> str:
    """Bytes with a decimal prefix: 12.3 kB."""
    for scale, prefix in PREFIXES:
        if count >= 0.99995 * scale:  # 1000.0 kB is 1.0 MB
            return f"{count / scale:.1f} {prefix}B"
    return f"{count:.0f} B"


def number(value: float, unit: str) -> str:
    """A value in its unit, without an error: "93.2 %", "1.49e8", "12.3 kB"."""
    if unit == "fraction":
        return f"{100 * value:.1f} %"
    return size(value) if unit == "bytes" else scientific(value)


def measured(measurement: Measurement) -> str:
    """A value with its standard error where it has one: "93.2 ± 1.2 %", "1.49e8"."""
    if measurement.unit == "fraction" and measurement.n:
        return f"{100 * measurement.value:.1f} ± {100 * measurement.stderr:.1f} %"
    return number(measurement.value, measurement.unit)


def bounded(measurement: Measurement) -> str:
    """A value with its 95 % interval where it has one: "40.0 % [30.9, 49.8]", "1.49e8"."""
    text, (low, high) = number(measurement.value, measurement.unit), measurement.interval
    return f"{text} [{100 * low:.1f}, {100 * high:.1f}]" if low < high else text


def interval(measurement: Measurement) -> str:
    """The 95 % interval of a fraction: "91.0 to 95.2 %"; "" for what is exact."""
    low, high = measurement.interval
    return f"{100 * low:.1f} to {100 * high:.1f} %" if low < high else ""


def points(gap: float | None) -> str:
    """A difference of two fractions in percentage points: "4.2"; "" where there is none."""
    return "" if gap is None else f"{100 * gap:.1f}"


def probability(share: float | None) -> str:
    """A probability in hundredths: "0.93"; "" where there is none."""
    return "" if share is None else f"{share:.2f}"


def radius(epsilon: float) -> str:
    """A change of pixels: 0.2 as it is, 0.03137… as 8/255."""
    levels = round(epsilon * 255)
    long = len(f"{epsilon:g}") > 5
    return f"{levels}/255" if long and abs(levels / 255 - epsilon) < 1e-9 else f"{epsilon:g}"


def clock(seconds: float) -> str:
    """A duration to read at a glance: 48s, 4m05s, 2h07m."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def unit_of_time(longest: float) -> tuple[int, str]:
    """Seconds in the unit of an axis that reaches so many seconds, >= 0, and its name."""
    return next((scale, unit) for least, scale, unit in SPANS if longest >= least)


def operand(path: Path | str) -> str:
    """A path as a word of a command that is to be typed: one that begins with a dash would be taken for a flag."""
    return f"./{path}" if str(path).startswith("-") else str(path)
