"""Rows of completeness: what came and when, by host and hour; which numbers did not come, by agent.

All hours are UTC hours of corrected sample time, half-open, named by their first millisecond.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from collector.store.schema import metadata

host_hours = Table(
    # Samples of one host in one hour. Counted in the transaction that makes them history, so each is counted once.
    "host_hours",
    metadata,
    Column("host", String(129), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("received", Integer, nullable=False),
    Column("late", Integer, nullable=False),  # of those, received later than three intervals after they were taken
    Column("interval_ms", Integer, nullable=False),  # as the host said in this hour, else as it is to be
    # How much of the hour the host was to report in. Null until the hour is settled.
    Column("eligible_ms", BigInteger, nullable=True),
)
Index("ix_host_hours_site", host_hours.c.site, host_hours.c.hour_ms)
Index("ix_host_hours_hour", host_hours.c.hour_ms)

sequence_hours = Table(
    # Which numbers of an agent's epoch fell into which hour: tells when a number that never came must have been taken.
    "sequence_hours",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
    Column("first_at_ms", BigInteger, nullable=False),  # when the record with first_seq was taken
    Column("last_seq", BigInteger, nullable=False),
    Column("last_at_ms", BigInteger, nullable=False),
)
Index("ix_sequence_hours_hour", sequence_hours.c.hour_ms)

lost_hours = Table(
    # Numbers without a record, by hour and kind (hours.LOST_KINDS). Written anew for an epoch whenever its losses or
    # gaps change.
    "lost_hours",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("numbers", BigInteger, nullable=False),
)
Index("ix_lost_hours_site", lost_hours.c.site, lost_hours.c.hour_ms)

gaps = Table(
    # Numbers below the newest that are neither held nor lost, since when we see them. Healed ones go.
    "gaps",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("first_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

completeness_mark = Table(
    # How far the job has come; one row.
    "completeness_mark",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("settled_ms", BigInteger, nullable=False),  # hours before this have their expectations written
)
