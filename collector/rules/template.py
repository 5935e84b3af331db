"""``{{ $labels.site }}``, ``{{ $value | humanize }}``: the texts of labels and annotations.

A small part of Go's template language, read once and written for each alert: ``$labels.NAME`` and ``$value`` (also
``.Labels.NAME``, ``.Value``), texts and numbers, the functions below, and pipes between them. Anything else (``if``,
``range``, queries) is refused when the rule is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<label>(?:\$|\.L)abels\.(?P<name>[A-Za-z_]\w*))|(?P<value>\$value|\.Value)(?![\w.])"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<call>[A-Za-z]\w*)|(?P<pipe>\|))"""
)
_LABELS = re.compile(r"(?:\$l|\.L)abels\.([A-Za-z_]\w*)")
Word = str | float


class BadTemplate(Exception):
    """A text cannot be read; the message names the part."""


@dataclass(frozen=True, slots=True)
class _Label:
    name: str


@dataclass(frozen=True, slots=True)
class _Value:
    pass


@dataclass(frozen=True, slots=True)
class _Step:
    """One command of a pipe: a function with its arguments, or (``call`` empty) one argument by itself."""

    call: str
    args: tuple[_Label | _Value | Word, ...]


_Pipe = tuple[_Step, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text to be written for one alert."""

    source: str
    parts: tuple[str | _Label | _Pipe, ...]

    def write(self, labels: Mapping[str, str], value: float) -> str:
        texts = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, _Label):
                texts.append(labels.get(part.name, ""))
            else:
                texts.append(_shown(_run(part, labels, value)))
        return "".join(texts)


def read_template(source: str) -> Template:
    """A template. Raises BadTemplate."""
    parts: list[str | _Label | _Pipe] = []
    at = 0
    is_trimmed = False
    for action in _ACTION.finditer(source):
        before = source[at : action.start()]
        before = before.lstrip() if is_trimmed else before
        parts.append(before.rstrip() if action[1] else before)
        pipe = _pipe(action[2].strip())
        first = pipe[0].args[0] if len(pipe) == 1 and not pipe[0].call else None
        parts.append(first if isinstance(first, _Label) else pipe)  # mostly a label alone, and every alert has some
        at, is_trimmed = action.end(), bool(action[3])
    rest = source[at:]
    if "{{" in rest:
        raise BadTemplate(f"{rest[rest.index('{{') :]!r}: expected a closing }}}}")
    parts.append(rest.lstrip() if is_trimmed else rest)
    return Template(source, tuple(part for part in parts if part != ""))


def plain(text: str) -> Template:
    return Template(text, (text,) if text else ())


def _pipe(text: str) -> _Pipe:
    steps = []
    for number, words in enumerate(_commands(text)):
        if not words:
            raise BadTemplate(f"{{{{ {text} }}}}: expected something on both sides of |")
        first, *rest = words
        if isinstance(first, _Step):
            if first.call not in _FUNCTIONS:
                raise BadTemplate(
                    f"{{{{ {text} }}}}: {first.call}: not understood here; expected $labels.NAME, $value or one of "
                    f"{', '.join(sorted(_FUNCTIONS))}"
                )
            args = [word for word in rest if not isinstance(word, _Step)]
            least = _FUNCTIONS[first.call][0]
            if len(args) != len(rest) or len(args) + (number > 0) != least:
                raise BadTemplate(f"{{{{ {text} }}}}: {first.call} takes {least} argument(s)")
            steps.append(_Step(first.call, tuple(args)))
        elif rest or number > 0:
            raise BadTemplate(f"{{{{ {text} }}}}: expected a function before its arguments")
        else:
            steps.append(_Step("", (first,)))
    return tuple(steps)


def _commands(text: str) -> list[list[_Label | _Value | Word | _Step]]:
    commands: list[list[_Label | _Value | Word | _Step]] = [[]]
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if label := _LABELS.match(text, at):
            commands[-1].append(_Label(label[1]))
            at = label.end()
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            raise BadTemplate(f"{{{{ {text} }}}}: {text[at:]!r}: not understood here")
        at = token.end()
        if token["pipe"]:
            commands.append([])
        elif token["value"]:
            commands[-1].append(_Value())
        elif token["text"]:
            commands[-1].append(re.sub(r"\\(.)", r"\1", token["text"][1:-1]))
        elif token["number"]:
            commands[-1].append(float(token["number"]))
        else:
            commands[-1].append(_Step(token["call"], ()))
    return commands


def _run(pipe: _Pipe, labels: Mapping[str, str], value: float) -> Word:
    found: list[Word] = []
    for step in pipe:
        args = [_resolved(arg, labels, value) for arg in step.args] + found
        found = [_FUNCTIONS[step.call][1](*args) if step.call else args[0]]
    return found[0]


def _resolved(word: _Label | _Value | Word, labels: Mapping[str, str], value: float) -> Word:
    if isinstance(word, _Label):
        return labels.get(word.name, "")
    return value if isinstance(word, _Value) else word


def _shown(word: Word) -> str:
    return word if isinstance(word, str) else shown_number(word)


def shown_number(value: float) -> str:
    """A number as Go prints it: with an exponent from a million on."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(value).removesuffix(".0")
    digits = Decimal(repr(value)).normalize()
    mantissa, _, exponent = f"{digits:e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"


def _number(word: Word) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _is_odd(value: float) -> bool:
    return math.isnan(value) or math.isinf(value)


def _four(value: float) -> str:
    if _is_odd(value):
        return shown_number(value)
    return f"{value:.4g}"


def humanize(word: Word) -> str:
    """1234567 -> 1.235M, 0.00012 -> 120u."""
    value = _number(word)
    if value == 0 or _is_odd(value):
        return _four(value)
    if abs(value) >= 1:
        return _scaled(value, 1000.0, "kMGTPEZY")
    return _small(value, "")


def humanize1024(word: Word) -> str:
    """123456789 -> 117.7Mi."""
    value = _number(word)
    if abs(value) <= 1 or _is_odd(value):
        return _four(value)
    scaled = _scaled(value, 1024.0, "kMGTPEZY")
    return scaled + "i" if scaled[-1].isalpha() else scaled


def humanize_duration(word: Word) -> str:
    """93784 -> 1d 2h 3m 4s."""
    value = _number(word)
    if _is_odd(value):
        return _four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return _small(value, "s")
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole = int(value)
    seconds, minutes, hours, days = whole % 60, whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{value:.4g}s"


def humanize_percentage(word: Word) -> str:
    """0.1234 -> 12.34%."""
    return _four(_number(word) * 100) + "%"


def humanize_timestamp(word: Word) -> str:
    """1435065584.128 -> 2015-06-23 13:19:44.128 +0000 UTC."""
    value = _number(word)
    if _is_odd(value):
        return _four(value)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(value * 1000))
    fraction = f".{at.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _scaled(value: float, base: float, prefixes: str) -> str:
    prefix = ""
    for prefix_after in prefixes:
        if abs(value) < base:
            break
        prefix = prefix_after
        value /= base
    return f"{value:.4g}{prefix}"


def _small(value: float, unit: str) -> str:
    prefix = ""
    for prefix_after in "munpfazy":
        if abs(value) >= 1:
            break
        prefix = prefix_after
        value *= 1000
    return f"{value:.4g}{prefix}{unit}"


def _printf(form: Word, word: Word) -> str:
    """One verb of Go's: %s, %v, %d, %f, %g, %e with width and precision."""
    verb = re.fullmatch(r"([^%]*)%([-+ 0]*\d*(?:\.\d+)?)([svdfgeq])([^%]*)((?:%%[^%]*)*)", str(form))
    if verb is None:
        return f"%!(BADFORMAT){form}"
    before, width, kind, after, rest = verb.groups()
    if kind in "sv":
        text = f"%{width}s" % _shown(word)
    elif kind == "q":
        text = f'"{_shown(word)}"'
    else:
        text = f"%{width}{kind}" % _number(word)
    return before + text + after + rest.replace("%%", "%")


_FUNCTIONS: dict[str, tuple[int, Callable[..., Word]]] = {
    "humanize": (1, humanize),
    "humanize1024": (1, humanize1024),
    "humanizeDuration": (1, humanize_duration),
    "humanizePercentage": (1, humanize_percentage),
    "humanizeTimestamp": (1, humanize_timestamp),
    "printf": (2, _printf),
    "title": (1, lambda word: _shown(word).title()),
    "toUpper": (1, lambda word: _shown(word).upper()),
    "toLower": (1, lambda word: _shown(word).lower()),
}
"""Name -> how many arguments, and what it does."""
