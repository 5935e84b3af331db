"""The agent of Bongsu: runs checks on this machine (or on others over SSH) and reports to collectors.

Only ``agent.link`` (and ``agent.remote``) may be imported by the collector; nothing here imports the collector.
"""
