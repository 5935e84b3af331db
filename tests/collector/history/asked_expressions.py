"""What a Prometheus and we are both asked: every construct of the subset on every kind of series, and what must fail."""

from __future__ import annotations

from collections.abc import Iterator

RANGE_FUNCTIONS = (
    "rate",
    "irate",
    "increase",
    "delta",
    "changes",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
)
SERIES = ("test_total", "test_gauge", "test_odd", "test_sparse", "test_flat")
AGGREGATIONS = ("sum", "min", "max", "avg", "count")
GROUPINGS = ("", "by (instance)", "by (cpu, mode)", "without (cpu)", "without (instance, mode)", "by (nothing)")
INNER = ("test_total", "rate(test_total[2m])", "test_gauge", "test_odd")
ARITHMETIC = ("+", "-", "*", "/", "%", "^")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
HAND_WRITTEN = """
test_total
test_total{cpu="0"}
test_total{mode!="idle"}
test_total{instance=~"srv[12].*", mode=~"u.*|i.*"}
test_total{mode!~"us.*"}
test_total{nothing=""}
test_total{nothing!=""}
{__name__=~"test_(gauge|flat)"}
{__name__=~"test_.*", cpu="1"}
nothing_at_all
test_gauge offset 1m
test_gauge offset -1m
test_total offset 7m
rate(test_total[5m] offset 3m)
sum(test_gauge offset 10m) - sum(test_gauge)
test_info
test_info offset 31m
-test_gauge
-test_total{cpu="0", mode="user"}
-(test_gauge + 1)
+test_gauge
2 ^ 3 ^ 2
-2 ^ 2
7 % -3
-7 % 3
1 / 0
0 / 0
1 == bool 1
1 > bool 2
time()
time() - 1790000000
time() % 60
vector(1)
vector(time())
scalar(test_flat{instance="srv1.abuja"})
scalar(test_flat)
scalar(nothing_at_all)
vector(scalar(sum(test_gauge)))
scalar(test_flat{instance="srv1.abuja"}) * 2
timestamp(test_gauge)
timestamp(test_sparse)
timestamp(test_total offset 2m)
timestamp(test_gauge + 0)
time() - timestamp(test_gauge)
timestamp(sum(test_gauge))
absent(test_gauge)
absent(nothing_at_all)
absent(nothing_at_all{a="b", c=~"d.*"})
absent(nothing_at_all{a="b", a="c", d="e"})
absent(test_sparse{instance="srv1.abuja"})
absent(sum(nothing_at_all))
absent(test_sparse > 1000)
absent(nothing_at_all{a="b"} offset 5m)
clamp_min(test_gauge, 0)
clamp_max(test_gauge, 0.5)
clamp_min(clamp_max(test_odd, 3), -3)
clamp_max(test_gauge, scalar(test_flat{instance="srv1.abuja"}) / 100)
clamp_min(test_odd, NaN)
label_replace(test_gauge, "host", "$1", "instance", "(.*)[.].*")
label_replace(test_gauge, "host", "$1-${1}-$2", "instance", "(.*)[.](.*)")
label_replace(test_gauge, "host", "${name}", "instance", "(?P<name>.*)[.].*")
label_replace(test_gauge, "host", "fixed", "nothing", "")
label_replace(test_gauge, "host", "fixed", "instance", "no match")
label_replace(test_gauge{instance="srv1.abuja"}, "instance", "", "instance", "(.*)")
label_replace(test_total, "cpu", "${1}x", "cpu", "(.)")
label_replace(test_gauge, "__name__", "renamed", "instance", ".*")
label_replace(test_gauge, "host", "$9", "instance", "(.*)")
label_replace(rate(test_total[1m]), "host", "$1", "instance", "(s).*")
predict_linear(test_gauge[5m], 600)
predict_linear(test_total[10m], 3600)
predict_linear(test_flat[5m], 60)
predict_linear(test_odd[5m], 60)
predict_linear(test_sparse[10m], -60)
predict_linear(test_gauge[5m] offset 2m, 60)
predict_linear(test_gauge[30s], 60)
quantile_over_time(0.5, test_gauge[5m])
quantile_over_time(0.95, test_total[3m])
quantile_over_time(0, test_odd[5m])
quantile_over_time(1, test_odd[5m])
quantile_over_time(0.33, test_odd[10m])
quantile_over_time(-1, test_gauge[1m])
quantile_over_time(1.5, test_gauge[1m])
quantile_over_time(0.5, test_sparse[2m])
topk(1, test_gauge)
topk(2, test_gauge)
topk(100, test_gauge)
topk(0, test_gauge)
topk(1, test_total) by (instance)
topk by (cpu) (1, test_total{mode="user"})
topk without (instance) (1, rate(test_total[5m]))
topk(scalar(count(test_flat)) - 2, test_gauge)
topk(2, test_gauge) + 1
topk(1, test_odd)
sum(topk(1, test_total) by (instance))
count(test_gauge) by (instance)
count(test_total > 50)
count by (mode) (rate(test_total[1m]) > 0)
sum by (__name__) ({__name__=~"test_.*"})
sum by (instance) (test_total) / on (instance) test_flat
sum without (cpu) (rate(test_total{mode!="idle"}[2m]))
1 - avg by (instance) (rate(test_total{mode="idle"}[5m]))
max(max_over_time(test_gauge[10m]))
sum(increase(test_total[10m])) / (sum(increase(test_total[20m])) > 0)
test_gauge + test_flat
test_gauge + on (instance) test_flat
test_gauge * on (instance) group_left test_flat
test_total * on (instance) group_left test_flat
test_flat * on (instance) group_right test_total
test_total / ignoring (cpu, mode) group_left test_flat
test_flat - ignoring (cpu, mode) group_right () test_total
test_gauge * on (instance) group_left (version) test_info
test_total * on (instance) group_left (version, nothing) test_info
test_info * on (instance) group_right (version) test_total
test_total > on (instance) group_left test_gauge
test_gauge < on (instance) group_right test_total
test_total > bool on (instance) group_left test_gauge
test_gauge == on (instance) test_gauge
test_gauge != bool on (instance) test_flat
test_gauge > ignoring (nothing) test_flat
test_gauge > on (instance) test_flat
test_total{mode="user"} + ignoring (mode) test_total{mode="idle"}
test_total{mode="user"} > ignoring (mode) test_total{mode="idle"}
test_total{mode="user"} and test_total{cpu="0"}
test_total and on (instance) test_gauge > 0
test_total and on () vector(1)
test_total and on () (test_flat{instance="srv1.abuja"} > 1000)
test_total unless on (instance) test_sparse
test_total unless test_total{cpu="1"}
test_total unless ignoring (cpu, mode) test_sparse
test_sparse or test_gauge
test_sparse or on (instance) test_gauge
test_sparse or vector(0)
test_sparse or on () vector(0)
sum(test_sparse) or vector(0)
(test_gauge > 0) or (test_flat < 0) or test_odd
test_total and test_gauge
test_gauge and ignoring (nothing) test_gauge offset 5m
rate(test_total[5m]) > 0.5 and on (instance) test_flat > 10
sum(test_gauge == bool 4)
sum(test_gauge > bool 0) or vector(0)
avg by (instance) (test_gauge) > 0.25
2 > test_gauge
2 > bool test_gauge
0 <= test_odd
test_gauge > 0 < 0.5
test_gauge - test_gauge
test_odd / test_odd
test_odd * 0
test_flat % 7
test_flat ^ 0.5
test_gauge ^ test_gauge
(time() - test_flat) / 86400
sum(test_gauge) > 0 and sum(test_flat) > 0
max by (instance) (1 - test_gauge / test_flat)
sum by (instance) (predict_linear(test_gauge[6m], 3600) < bool 0)
rate(test_total{mode="idle"}[30s])
rate(test_total[15s])
increase(test_total[45s])
irate(test_total[45s])
delta(test_gauge[1h])
avg_over_time(test_odd[20m])
rate({__name__=~"test_(total|gauge)", instance="srv3.abuja", mode=~"user|"}[5m])
last_over_time({__name__=~"test_(flat|gauge)"}[2m])
sum(count_over_time({__name__=~"test_.*"}[1m])) by (instance)
min_over_time(test_gauge[1m]) <= max_over_time(test_gauge[1m])
"text"
test_gauge[1m]
test_sparse[10m]
test_total{cpu="0"}[1m] offset 5m
test_odd[5m]
"""
REFUSED = """
test_gauge + on (nothing) test_flat
test_total + on (instance) test_total
test_total + on (instance) test_gauge
test_gauge + on (instance) test_total
test_gauge * on (instance) group_left test_total
test_total * on (instance) group_right test_total
test_total{cpu="0"} == on (instance) test_gauge
test_total == on (instance) group_left (mode) test_total
test_info * on (instance) group_right (mode) test_total{mode="user"}
rate({__name__=~"test_(total|gauge|flat)"}[5m])
-{__name__=~"test_(gauge|flat)"}
{__name__=~"test_(gauge|flat)"} + 1
label_replace(test_gauge, "instance", "", "instance", "(.*)")
label_replace(test_gauge, "instance", "same", "instance", ".*")
label_replace(test_gauge, "0bad", "x", "instance", ".*")
label_replace(test_gauge, "host", "x", "instance", "(")
topk(NaN, test_gauge)
sum(test_gauge
rate(test_gauge)
sum(1)
1 and 2
1 == 2
test_gauge{
{}
test_gauge[5m] + 1
"text" + 1
clamp_min(test_gauge)
test_gauge and on (instance) group_left test_flat
test_gauge offset 1m offset 2m
"""
"""Prometheus refuses these, and so do we, with the same kind of error."""


def generated() -> Iterator[str]:
    for function in RANGE_FUNCTIONS:
        for at, series in enumerate(SERIES):
            yield f"{function}({series}[{('1m', '5m', '4m', '10m', '90s')[at]}])"
        yield f"sum by (instance) ({function}(test_total[2m]))"
        yield f"{function}(test_total[3m] offset 1m)"
    for aggregation in AGGREGATIONS:
        for grouping in GROUPINGS:
            for inner in INNER:
                yield f"{aggregation} {grouping} ({inner})"
    for op in ARITHMETIC:
        yield f"test_gauge {op} 2"
        yield f"2 {op} test_gauge"
        yield f"test_odd {op} ignoring (nothing) test_odd"
        yield f"rate(test_total[1m]) {op} on (instance) group_left test_flat"
    for op in COMPARISONS:
        yield f"test_gauge {op} 0.5"
        yield f"0.5 {op} test_gauge"
        yield f"test_gauge {op} bool 0.5"
        yield f"test_odd {op} on (instance) test_gauge"
        yield f"test_total {op} bool on (instance) group_left test_flat"


def lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


EXPRESSIONS = [*lines(HAND_WRITTEN), *generated()]
