"""What Prometheus reads: ``/metrics`` (collector, sites, hubs), ``/metrics/sites/{site}`` and ``/sd/prometheus``.

No timestamps: a series with one gets no stale marker and lingers five minutes after it ended. Instead a silent host's
numbers leave after three intervals, and ages are metrics of their own.
"""
