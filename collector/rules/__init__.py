"""Rules in Prometheus' own file format, evaluated here: what counts as wrong, for how long, and how it is said.

Decided 2026-11:
- A rule file loads unchanged in Prometheus, and ``bongsu rules test`` takes Prometheus' own unit-test files. What our
  part of PromQL or of the templates does not cover is refused when a file is read, naming file, group, rule and part.
- The timers of an alert (since when it is active, firing, no longer seen) are rows, so that a restart changes nothing.
- Only what is wrong now is an alert. A report that comes late moves an alert's beginning back to when it was measured;
  what began and ended meanwhile raises nothing.
"""
