"""Every alert there is, from anywhere: the collector's own rules, Prometheus and others that speak Alertmanager's API,
webhooks, heartbeats that stayed away; silences over them, and the way out to other Alertmanagers.

An alert is its labels: whoever sends the same set again means the same alert. ``site``, ``agency``, ``hub`` and
``instance`` are stamped from the registry as soon as one of them is known there, so that what an alert may be seen by,
and whom it concerns, never depends on what its sender claimed.
"""
