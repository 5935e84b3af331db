"""A hub's upstream: the cursor over its own log, what the centre said, the registry it gives, enrolment on its behalf.

Decided 2026-11: a hub has no second spool. What it took stands in its log already, sealed by the agent; the relay only
remembers which rows the centre needs no more, and believes nothing but the centre's signature about that. Who brought
an envelope proves nothing: the centre judges it as if the agent had brought it.
"""
