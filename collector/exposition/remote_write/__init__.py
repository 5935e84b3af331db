"""Remote write 1.0: what the log holds, sent on to Prometheus, VictoriaMetrics, Mimir and their like.

A scraper only sees what is current; what comes back after a cut lies hours behind. Here every sample goes on at its true
time, under the labels ``/metrics`` gives it, to any number of destinations.

    queries    rows of the log that a destination does not have yet
    gather     rows to samples with encoded labels (labels, batch)       pure
    sending    one batch on its way: which piece next, what to halve     pure
    reply      what an answer means                                      pure
    position   which rows a destination has                              pure
    lately     what a destination that ended may have forgotten          pure
    forwarder  the step that ties them together; shell: a thread for each destination

Decided 2026-11:
- A position is a set of ranges over the log's ids, in one row for each destination. Newest first, parked rows and rows
  that a schema frees later all become gaps in it; a crash sends at most the last two seconds again, which every store
  takes as the same sample.
- ``any`` goes newest first, so that a store that was away shows the present at once. ``ordered`` goes in order of receipt
  and, within a batch, of time, because Prometheus measures its out-of-order window from the newest sample it has.
- A word that says "absent" is sent as it is: it is Prometheus' own stale marker, and a query there ends the series where
  ours does. A host that falls silent gets none: its samples may come later and would then stand around a marker that was
  never true. Its series end by the store's own five minutes.
- ``up`` is sent as 1 at each sample, in mode ``all`` alone: beside scraping, the scraper's zeros are what was seen.
- Only an answer that names a known reason is final. A refusal in unknown words is halved like a known one, but its
  samples are dropped only if others of the same piece passed meanwhile; otherwise something else than a store answered.
"""
