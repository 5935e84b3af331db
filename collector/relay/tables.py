"""Rows of a hub about its upstream: what the centre said it holds, and whom the hub let in while it could not ask."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from collector.store.schema import metadata

relay_position = Table(
    # One row. Which of the log's rows (envelopes.id) need not be sent any more: the centre has them, or refused them.
    "relay_position",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("settled", LargeBinary, nullable=False),  # MessagePack [[a, b], ...]
    # Who said so: another centre, or one that began with an empty store, is sent everything again.
    Column("receiver_id", String(64), nullable=False),
    Column("receiver_epoch", String(64), nullable=False),
)

receipts = Table(
    # The centre's newest signed word about each agent and epoch, handed down as it came.
    "receipts",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("text", Text, nullable=False),  # base64, as it stands in an answer
    Column("at_ms", BigInteger, nullable=False),
)

relay_refusals = Table(
    # Records the centre refused for ever: the agent is told until the centre accounts for the numbers.
    "relay_refusals",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("first_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, primary_key=True),
    Column("action", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

registry_state = Table(
    # One row: the newest registry that was taken over.
    "registry_state",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("at_ms", BigInteger, nullable=False),  # the centre's clock
    Column("version", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
)

registry_copy = Table(
    # At a custodian, one row: the whole registry as the centre signed it, to be read when the centre is gone.
    "registry_copy",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("packed", LargeBinary, nullable=False),
    # The centre's newest signed word that this is still all there is; empty where it said so only once.
    Column("confirmed", LargeBinary, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),  # of that word, by the centre's clock
)

spent_tokens = Table(
    # Join tokens of the region that were used or cancelled, as the registry says: worthless, also while cut off.
    "spent_tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
)

admissions = Table(
    # Enrolments asked for here: first with the id this hub proposed, then with what the centre made of it.
    "admissions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("agent_id", LargeBinary(16), nullable=False),
    Column("host", String(129), nullable=False),
    Column("body", LargeBinary, nullable=False),  # the request as the agent sent it
    Column("state", String(16), nullable=False),  # asked, provisional, accepted, refused
    Column("at_ms", BigInteger, nullable=False),
)
