"""The durable log: every accepted envelope as it came, before anything is made of it.

Decided 2026-11: the log is the truth and ``positions`` only its checkpoint. Writing each agent's ranges with every
commit dirtied one page an agent; now a commit appends rows only, and a start reads the checkpoint plus the rows
after it. Rows at or below the checkpoint may be deleted once history and relay are done with them.
"""
