"""Agreed work (작업창): when it is, whom it covers, and whether those it touches were told.

A window belongs to pages and the API, never to the topology file. Its times are local to a zone, so that work agreed for
02:00 stays at 02:00 when the clocks change.
"""
