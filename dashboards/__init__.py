"""Grafana dashboards as typed builders, their generated JSON, provisioning files and the push to a Grafana API."""
