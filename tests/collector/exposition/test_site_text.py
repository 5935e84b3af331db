"""A site's exposition: every value once, families together, readable by Prometheus' own parser whatever agents send."""

from __future__ import annotations

import asyncio
import gzip
import math
import zlib
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from centre import NOW_MS, Centre
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sender import Sender, request

from agent.link.model import Schema, Series, make_schema
from collector.exposition.hosts import host_text
from collector.exposition.site import in_shard, parse_shard, site_text
from collector.exposition.stream import compressed, gathered
from collector.exposition.turns import Turns
from collector.live.render import special
from collector.store.scope import EVERYTHING, NOTHING, Scope
from collector.verdicts.standing import HostStanding, Standing

LABELS = {"agency": "for", "hub": "mea", "site": "abuja", "job": "node"}


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def text_of(centre: Centre, scope: Scope = EVERYTHING, shard: tuple[int, int] = (0, 1)) -> str:
    fleet = centre.registry.fleet
    standing = Standing(hosts={host: HostStanding(0, NOW_MS, "reporting", NOW_MS) for host in fleet.hosts})
    now_ms = centre.clock.now_ms
    chunks = site_text(fleet, centre.live, standing, fleet.sites["abuja"], scope, shard, now_ms, Turns())
    return asyncio.run(_whole(chunks)).decode()


def values_of(text: str) -> dict[tuple[str, str], float]:
    """(name, instance + own labels) -> value; a series that stands twice fails."""
    found: dict[tuple[str, str], float] = {}
    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            own = {k: v for k, v in sample.labels.items() if LABELS.get(k) != v}
            key = (sample.name, repr(sorted(own.items())))
            assert key not in found, key
            found[key] = sample.value
    return found


def push(centre: Centre, sender: Sender, schema: Schema, values: list[float | None]) -> None:
    sample = sender.sample(schema, values, centre.clock.now_ms)
    assert not centre.answer(request(sender.envelope([sample], [schema.packed]))).envelopes


def test_hosts_with_other_series_are_grouped_by_family(centre: Centre) -> None:
    one, two = centre.enrolled("one"), centre.enrolled("two")
    push(
        centre,
        one,
        make_schema((Series(one.host, "node_b", 0, (("x", "1"),)), Series(one.host, "node_a_total", 1, ())), ()),
        [1.0, 2.0],
    )
    push(
        centre,
        two,
        make_schema((Series(two.host, "node_c", 2, ()), Series(two.host, "node_b", 0, (("x", "2"),))), ()),
        [3.0, 4.0],
    )
    text = text_of(centre)
    heads = [line for line in text.splitlines() if line.startswith("# TYPE node_")]
    assert heads == ["# TYPE node_a_total counter", "# TYPE node_b gauge", "# TYPE node_c untyped"]
    values = values_of(text)
    assert values["node_a_total", "[('instance', 'one.abuja')]"] == 2.0
    assert values["node_b", "[('instance', 'one.abuja'), ('x', '1')]"] == 1.0
    assert values["node_b", "[('instance', 'two.abuja'), ('x', '2')]"] == 4.0
    assert values["node_c", "[('instance', 'two.abuja')]"] == 3.0
    assert values["up", "[('instance', 'one.abuja')]"] == 1.0


@pytest.mark.parametrize("missing", [None, 0.5])
def test_a_text_in_bands_is_the_text_in_one_piece(centre: Centre, missing: float | None) -> None:
    hosts = []
    for number in range(6):
        sender = centre.enrolled(f"h{number}")
        names = [f"node_{letter}" for letter in "abcdefgh"][number % 3 :: 1 + number % 2]
        series = tuple(Series(sender.host, name, 0, (("v", str(v)),)) for name in names for v in range(1 + number % 3))
        push(centre, sender, make_schema(series, ()), [missing if at == 3 else at / 4 for at in range(len(series))])
        hosts.append((centre.live.hosts[sender.host], f'instance="{sender.host}"'.encode()))
    whole, banded = (
        asyncio.run(_whole(host_text(hosts, Turns()))),
        asyncio.run(_whole(host_text(hosts, Turns(), band_bytes=1))),
    )
    assert banded == whole
    assert whole.count(b"# TYPE") == 8
    assert len(values_of(whole.decode())) == sum(value is not None for host, _ in hosts for *_, value in host.series())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["node_a", "node_b_total", "probe_c"]),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
            st.none() | st.floats(width=64),
        ),
        max_size=12,
        unique_by=lambda row: row[:2],
    )
)
def test_any_labels_and_any_values_come_out_as_they_went_in(
    centre: Centre, rows: list[tuple[str, str, float | None]]
) -> None:
    sender = centre.enrolled(f"h{len(centre.registry.fleet.hosts)}")
    kinds = {"node_a": 0, "node_b_total": 1, "probe_c": 2}
    schema = make_schema(tuple(Series(sender.host, name, kinds[name], (("v", label),)) for name, label, _ in rows), ())
    push(centre, sender, schema, [value for _, _, value in rows])
    text = text_of(centre)
    found = {
        (sample.name, sample.labels.get("v", "")): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if sample.labels.get("instance") == sender.host and sample.name in kinds
    }
    expected = {(name, label): value for name, label, value in rows if value is not None}
    assert found.keys() == expected.keys()
    assert all(found[key] == value or (math.isnan(found[key]) and math.isnan(value)) for key, value in expected.items())


def test_a_silent_hosts_numbers_leave_after_three_intervals_and_up_says_so(centre: Centre) -> None:
    sender = centre.enrolled()
    push(centre, sender, make_schema((Series(sender.host, "node_a", 0, ()),), ((sender.host, "cpu"),)), [1.0, 0.0])
    centre.clock.now_ms += 45_000
    assert values_of(text_of(centre))["up", "[('instance', 'srv1.abuja')]"] == 1.0
    centre.clock.now_ms += 1
    values = values_of(text_of(centre))
    assert values["up", "[('instance', 'srv1.abuja')]"] == 0.0
    assert not any(name in ("node_a", "bongsu_check_state") for name, _ in values)


def test_shards_are_disjoint_and_together_the_whole(centre: Centre) -> None:
    for number in range(30):
        sender = centre.enrolled(f"h{number}")
        push(centre, sender, make_schema((Series(sender.host, "node_a", 0, ()),), ()), [float(number)])
    whole = values_of(text_of(centre))
    parts = [values_of(text_of(centre, shard=(index, 4))) for index in range(4)]
    together = Counter(key for part in parts for key in part)
    assert together == Counter(whole.keys())
    assert all(len(part) < len(whole) for part in parts)


@pytest.mark.parametrize("bad", ["", "1", "4/4", "-1/4", "a/b", "0/0", "1/2/3", "0/99999"])
def test_a_shard_that_is_none(bad: str) -> None:
    with pytest.raises(ValueError, match="expected i/n"):
        parse_shard(bad)
    assert in_shard("anything", (0, 1))


def test_a_stranger_sees_no_host(centre: Centre) -> None:
    sender = centre.enrolled()
    push(centre, sender, make_schema((Series(sender.host, "node_a", 0, ()),), ()), [1.0])
    assert "node_a" not in text_of(centre, NOTHING)
    assert "node_a" not in text_of(centre, Scope(agencies=frozenset({"other"})))
    assert "node_a" in text_of(centre, Scope(agencies=frozenset({"for"}), sites=frozenset({"abuja"})))


@pytest.mark.parametrize("sizes", [[], [10], [200_000, 1, 0, 300_000]])
def test_compressed_and_gathered_are_the_same_bytes(sizes: list[int]) -> None:
    chunks = [bytes([65 + at]) * size for at, size in enumerate(sizes)]

    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    packed = asyncio.run(_whole(gathered(compressed(source()))))
    assert gzip.decompress(packed) == b"".join(chunks)
    assert zlib.crc32(gzip.decompress(packed)) == zlib.crc32(b"".join(chunks))


@pytest.mark.parametrize(
    ("value", "text"),
    [(math.nan, b"NaN"), (math.inf, b"+Inf"), (-math.inf, b"-Inf"), (1.5, b"1.5"), (1e300, b"1e+300")],
)
def test_special_numbers(value: float, text: bytes) -> None:
    assert special(value) == text
