"""Questions put from this machine to something else: does it answer, how fast, with what, for how long still?

A check looks at a host through ``Host`` and never knows where it runs; a probe is about the way between two places, so
where it runs is its point. It opens sockets itself, and nothing else in the agent does besides the sender.

Series carry blackbox_exporter's names and meanings, so that rules and boards written for it work unchanged, with the
labels ``target`` and ``module`` (icmp, tcp, http, dns, path_mtu). Ours besides: ``probe_icmp_loss_ratio`` and
``probe_path_mtu_bytes``. ``probe_ip_addr_hash`` is left out: a hash as a number tells nobody anything.
"""
