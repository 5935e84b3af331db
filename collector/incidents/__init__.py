"""One disturbance, one incident: from the first sign to the closed report.

Verdicts and alerts become **signals**, one for each disturbance; ``course`` decides on rows and signals alone what opens,
joins, merges, settles, comes back or closes; the job writes that in one transaction. What an incident lies behind gathers
it, also when the parent is judged later. People change an incident through ``queries``, each change with its event and
its timers in the same transaction.

An incident is on the board at once; from ``due_at`` on somebody may be told. One whose signals end before that is closed
quietly, and nobody was woken.
"""
