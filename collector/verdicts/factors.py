"""What do those that failed together have in common: a device, a building, a cable, a carrier?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from collector.verdicts.standing import Fact

LEAST, SHARE = 2, 0.6
WINDOW_MS = 10 * 60_000
RANKS = {"device": 0, "facility": 1, "cable": 2, "carrier": 3}
"""Of two that explain as much, the nearer one is named."""


def common_factors(
    bad: Mapping[str, int], members: Mapping[str, Sequence[str]], cleared: Collection[tuple[str, str]] = ()
) -> dict[str, tuple[str, Fact]]:
    """For each bad thing the factor that explains most of what began with it, as (factor, fact); none where it stands alone.

    ``bad``: id -> since when, in milliseconds. ``members``: factor -> ids that have it. ``cleared``: (factor, id) of which
    it is known that this is not it, such as a cable over which the place still answers.
    """
    left = dict(bad)
    found: dict[str, tuple[str, Fact]] = {}
    shared = {
        factor: [each for each in ids if each in left and (factor, each) not in cleared]
        for factor, ids in members.items()
        if len(set(ids)) >= LEAST
    }
    shared = {factor: ids for factor, ids in shared.items() if len(ids) >= LEAST}
    while shared:
        best = max(shared, key=lambda factor: (_score(factor, shared[factor], left, members), factor))
        chosen = together(shared.pop(best), left)
        if len(chosen) < LEAST or len(chosen) < SHARE * len(members[best]):
            continue
        fact = Fact("shared", best, f"{len(chosen)}/{len(members[best])}")
        for each in chosen:
            found[each] = (best, fact)
            del left[each]
    return found


def _score(
    factor: str, ids: Sequence[str], left: Mapping[str, int], members: Mapping[str, Sequence[str]]
) -> tuple[float, float, int]:
    chosen = together(ids, left)
    return len(chosen), len(chosen) / len(members[factor]), -RANKS.get(factor.partition(":")[0], 9)


def together(ids: Sequence[str], since: Mapping[str, int]) -> list[str]:
    """The largest part of these that began within the window."""
    ordered = sorted((each for each in ids if each in since), key=lambda each: (since[each], each))
    best: list[str] = []
    start = 0
    for end, each in enumerate(ordered):
        while since[each] - since[ordered[start]] > WINDOW_MS:
            start += 1
        if end - start + 1 > len(best):
            best = ordered[start : end + 1]
    return best
