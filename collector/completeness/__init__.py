"""How much of what should have come did come, by site and hour: expected, received, late, lost.

Counted by corrected sample time in half-open UTC hours, so a backlog that arrives days later changes the hours it was
taken in, not the one it came in.

Decided 2026-11:
- Samples are counted where history opens every envelope anyway, in the transaction that writes the chunk and marks the
  log's rows. So each is counted exactly once whatever crashes, nothing is decoded twice, and a commit of the intake
  costs nothing more. The price: an hour is judged twenty minutes after its end, when what came in it is in chunks.
- What is expected is written down when the hour is settled (which hosts were to report, for how long, how often), so
  that later changes of the fleet do not change the past.
- Numbers without a record are told from the positions, and put into the hours of the records around them.
- Only an agent's newest epoch can have a gap: a new epoch sends what the centre lacked under new numbers, and what an
  agent without a spool held in memory is not known to anybody.
"""
