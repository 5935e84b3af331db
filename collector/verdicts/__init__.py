"""What the collector concludes: what is broken, and why; what is only unknown, and because of what.

``judge`` is one pure function of the fleet, of evidence and of what was concluded before; the job runs it on a tick,
writes changes as rows and publishes a frozen ``Standing`` that pages, exposition and API read without a lock.

Decided 2026-11:
- Silence is a state of its own, 2 "no data". Nobody is ok without a current report, and nobody is down (4) for being
  silent alone: that takes two places that cannot reach it (``votes``), or a UPS that ran on its battery at the last word.
- What was confirmed as down stays so until something speaks against it: that nobody can look any more is no recovery.
- A cause is named once (``causes``). What lies behind it is unknown since it fell silent, neither green nor red.
- Large packets are said to be lost at the first cycle that loses them while small ones pass, and to pass again after three
  clean ones: a port that drops nine of ten lets some cycles look well.
- Without a UPS that said the mains were well, or a cable or carrier shared with others, nobody can tell a cut line from a
  dark building from outside: the verdict is "down, cause not known" then.
- After a start nothing is concluded about who has not reported yet, for two of its intervals: what was well is "starting",
  what was not stays as it was recorded, so that restarting a collector leaves no trace in anyone's history.
- A host that reports more seldom than its site's profile says is waited for as long as it said, after a start too.
- What fails is paged after half a minute where the agent looks every few seconds (``QUICK_CHECKS``), else after the next report:
  one look a minute that finds something is no proof of half a minute. Nobody waits for a parent of what is said by itself.
- A host in the registry that never reported is "no data" and keeps its site from being ok: what is registered and not
  watched must be seen, not assumed well.
"""
