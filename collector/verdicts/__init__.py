"""What the collector concludes: which agents, hosts and sites are known to be well, and since when.

``judge`` is one pure function of the fleet, the newest reports and what was concluded before; the job runs it on a tick,
writes changes as rows and publishes a frozen ``Standing`` that pages, exposition and API read without a lock.

Decided 2026-11:
- Silence is a state of its own, 2 "no data". Nobody is ok without a current report, and nobody is down (4) for being
  silent: that takes evidence this step does not have.
- After a start nothing is concluded about who has not reported yet, for two of its intervals: what is recorded stays as
  it was, so that restarting a collector leaves no trace in anyone's history.
- A host in the registry that never reported is "no data" and keeps its site from being ok: what is registered and not
  watched must be seen, not assumed well.
"""
