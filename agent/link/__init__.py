"""The link between agent and collector: names, bytes, keys, durable spool and sender (docs/protocol.md)."""
