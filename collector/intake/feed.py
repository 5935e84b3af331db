"""Telling ``live`` what a committed envelope brought."""

from __future__ import annotations

from agent.link.names import KIND_STATE
from collector.intake.records import state_change
from collector.intake.work import Outcome
from collector.live.board import Live


def feed(live: Live, outcome: Outcome, site: str, interval_ms: int, received_at_ms: int) -> None:
    """Tell ``live`` what an envelope brought, and count it for its site."""
    envelope, header = outcome.envelope, outcome.envelope.header
    live.heard(header.agent_id, header.epoch, received_at_ms)
    new = set(outcome.accepted.seqs)
    counts = live.reports
    if outcome.duplicates:
        counts[site, "duplicate"] += outcome.duplicates
    if outcome.expired:
        counts[site, "expired"] += outcome.expired
    if outcome.refused:
        counts[site, "refused"] += outcome.refused
    for instant in envelope.samples:
        layout = envelope.layouts.get(instant.schema_hash)
        if instant.seq not in new:
            continue
        if layout is None:
            counts[site, "refused" if instant.seq in envelope.refused else "parked"] += 1
            continue
        if layout.refused:
            counts[site, "clash"] += layout.refused
        times = (instant.taken_at_ms, instant.offset_ms)
        result = live.sample(
            header.agent_id, header.epoch, layout, instant.seq, *times, instant.words, received_at_ms, interval_ms
        )
        counts[site, result] += 1
    for record, _ in envelope.records:
        if record.seq not in new or record.seq in envelope.refused:
            continue
        result = "accepted"
        if record.kind == KIND_STATE:
            change, at_ms = state_change(record), record.taken_at_ms + record.offset_ms
            result = live.state(
                header.agent_id,
                header.epoch,
                record.seq,
                at_ms,
                change.host,
                change.check,
                change.state,
                change.text,
                received_at_ms,
                interval_ms,
            )
        counts[site, result] += 1
