"""The part of PromQL the collector understands: read, checked and evaluated here.

What it covers is what shipped rules and boards use: selectors with offset and range; arithmetic, comparison, set
operators with ``on``, ``ignoring``, ``group_left`` and ``group_right``; ``sum min max avg count topk``; and the functions
of ``plan.FUNCTIONS``. Everything else is refused by name when it is read, never answered differently.

Decided 2026-11:
- promql-parser reads the text, so precedence and types are Prometheus' own; ``parse`` turns its tree into ours once, and
  what came through can be evaluated.
- A value at many instants is one array (series x instants) with a mask, for NaN is a value: an instant query is a grid
  of one, and a rule over a thousand hosts is a few array operations.
- Intervals are closed on both ends, as in Prometheus 2: ``x[1m]`` at t holds a sample taken exactly a minute before t,
  and a sample is looked back to for five minutes inclusive. (Prometheus 3 leaves the older end out.) The programs rules
  are tested with, and most that are installed, are 2; both agree wherever samples do not fall on the edge.
- Sums over time are taken in extended precision where Prometheus compensates; results agree to 1e-9.
"""
