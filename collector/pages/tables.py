"""Rows of pages: what is to be sent and was (the outbox), why each person was paged or not, and how channels fare."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

page_deliveries = Table(
    # One message to one person by one channel. What went out can be read again for [paging] keep_days.
    "page_deliveries",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    # Says which page it is, the same on every try: who claims a timer twice makes one row.
    Column("page_key", String(64), nullable=False, unique=True),
    # The key of the page this stands in for by another channel, else its own: one of a root that left is enough.
    Column("root", String(64), nullable=False),
    Column("incident", BigInteger, nullable=True),  # null: a test, the proof of an address
    Column("person", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", String(400), nullable=False),
    Column("site", String(64), nullable=False),  # whose matter it is, for who may read it; empty = the centre's
    Column("agency", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # collector.pages.page.KINDS
    Column("severity", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("state", String(16), nullable=False),  # queued, sending, sent, failed, superseded
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=True),  # who sends has until then; after it another may
    Column("attempts", Integer, nullable=False),
    Column("subject", String(400), nullable=False),
    Column("text", Text, nullable=False),  # with {link} where the address to answer at goes
    # {short, fields, order: channels left to try, step}
    Column("data", JsonText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, nullable=True),
    Column("receipt", String(200), nullable=False),  # what the provider said; empty = nothing
    Column("reason", String(32), nullable=False),  # why not sent, of collector.pages.page.REASONS
    Column("error", Text, nullable=False),
    Column("answer_hash", LargeBinary(32), nullable=True),  # of the token in the link; null = wants no answer
    Column("answered_at", UtcDateTime, nullable=True),
    Column("answered_way", String(16), nullable=False),  # page, mail, sms, voice …
)
# What a channel sends next.
Index("ix_page_deliveries_claim", page_deliveries.c.channel, page_deliveries.c.state, page_deliveries.c.due_at)
# Everything an incident sent, and older states that a newer one replaces.
Index("ix_page_deliveries_incident", page_deliveries.c.incident)
Index("ix_page_deliveries_root", page_deliveries.c.root)
# How much one person got lately.
Index("ix_page_deliveries_person", page_deliveries.c.person, page_deliveries.c.created_at)
Index("ix_page_deliveries_answer", page_deliveries.c.answer_hash)

page_decisions = Table(
    # What each stage said, of whom: never changed once written. Person empty = of the incident as a whole.
    "page_decisions",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("incident", BigInteger, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("timer", BigInteger, nullable=True),
    Column("step", Integer, nullable=False),
    Column("person", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("stage", String(16), nullable=False),  # collector.pages.pipeline.STAGES, and delivery
    Column("outcome", String(32), nullable=False),
    Column("detail", Text, nullable=False),
)

channel_health = Table(
    "channel_health",
    metadata,
    Column("channel", String(32), primary_key=True),
    Column("state", String(16), nullable=False),  # ok, failing
    Column("since_at", UtcDateTime, nullable=False),
    Column("last_success_at", UtcDateTime, nullable=True),
    Column("last_failure_at", UtcDateTime, nullable=True),
    Column("last_error", Text, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
)

console_watches = Table(
    # Who has a board before them: one row a console, written at most twice a minute.
    "console_watches",
    metadata,
    Column("console", String(96), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
)
