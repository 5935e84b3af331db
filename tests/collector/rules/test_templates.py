"""Texts of labels and annotations: the numbers are those Go's functions give in Prometheus."""

from __future__ import annotations

import math

import pytest

from collector.rules.template import BadTemplate, read_template

LABELS = {"site": "abuja", "number": "12345"}
WRITTEN = [
    ("plain", 0.0, "plain"),
    ("", 0.0, ""),
    ("{{ $labels.site }}", 0.0, "abuja"),
    ("{{$labels.site}}: {{$value}}", 1.5, "abuja: 1.5"),
    ("{{ .Labels.site }} {{ .Value }}", 2.0, "abuja 2"),
    ("{{ $labels.nothing }}.", 0.0, "."),
    ("a {{- $labels.site -}} b", 0.0, "aabujab"),
    ("{{ $value }}", 1e6, "1e+06"),
    ("{{ $value }}", 123456789.0, "1.23456789e+08"),
    ("{{ $value }}", 0.00001, "1e-05"),
    ("{{ $value }}", math.nan, "NaN"),
    ("{{ $value }}", math.inf, "+Inf"),
    ("{{ $value | humanize }}", 0.0, "0"),
    ("{{ $value | humanize }}", 1234567.0, "1.235M"),
    ("{{ $value | humanize }}", 999.96, "1000"),
    ("{{ $value | humanize }}", 0.00012, "120u"),
    ("{{ $value | humanize }}", -1500.0, "-1.5k"),
    ("{{ $value | humanize }}", math.inf, "+Inf"),
    ("{{ humanize $value }}", 1500.0, "1.5k"),
    ("{{ $value | humanize1024 }}", 123456789.0, "117.7Mi"),
    ("{{ $value | humanize1024 }}", 1000.0, "1000"),
    ("{{ $value | humanize1024 }}", 0.5, "0.5"),
    ("{{ $value | humanizeDuration }}", 93784.0, "1d 2h 3m 4s"),
    ("{{ $value | humanizeDuration }}", 3600.0, "1h 0m 0s"),
    ("{{ $value | humanizeDuration }}", 61.0, "1m 1s"),
    ("{{ $value | humanizeDuration }}", -61.0, "-1m 1s"),
    ("{{ $value | humanizeDuration }}", 0.0123, "12.3ms"),
    ("{{ $value | humanizeDuration }}", 12.34567, "12.35s"),
    ("{{ $value | humanizeDuration }}", 0.0, "0s"),
    ("{{ $value | humanizePercentage }}", 0.12345, "12.35%"),
    ("{{ $value | humanizeTimestamp }}", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
    ("{{ $labels.number | humanize }}", 0.0, "12.35k"),
    ('{{ printf "%.2f" $value }}', 3.14159, "3.14"),
    ('{{ $value | printf "%.0f hosts" }}', 3.0, "3 hosts"),
    ('{{ printf "at %s" $labels.site }}', 0.0, "at abuja"),
    ("{{ $labels.site | title }} {{ $labels.site | toUpper }}", 0.0, "Abuja ABUJA"),
    ('{{ "text" }}', 0.0, "text"),
]


@pytest.mark.parametrize(("source", "value", "expected"), WRITTEN)
def test_written(source: str, value: float, expected: str) -> None:
    assert read_template(source).write(LABELS, value) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ $value",
        "{{ }}",
        "{{ $value | }}",
        "{{ nothing $value }}",
        "{{ if $value }}x{{ end }}",
        '{{ range query "up" }}{{ . }}{{ end }}',
        "{{ $labels }}",
        "{{ $externalURL }}",
        "{{ humanize }}",
        "{{ $value humanize }}",
        "{{ $value | $labels.site }}",
    ],
)
def test_refused(source: str) -> None:
    with pytest.raises(BadTemplate, match=r"\{\{"):
        read_template(source)
