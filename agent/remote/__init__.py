"""Machines without an agent: the same checks over SSH.

``targets.py`` says which machines (pure, loads no SSH library), ``ssh.py`` is the ``Host`` over paramiko and its only
importer, ``scripts.py`` the small shell programs it sends and how their answers parse, ``known_hosts.py`` the pinned
host keys, ``poll.py`` one target's loop.

Decisions. Everything is read by ``exec`` of a POSIX sh script, not by SFTP: one round trip per question, it works on
busybox and dash, and a server with a forced command still fits. A host key is never taken on first sight: an agent
that trusted whoever answers would hand a stranger the numbers an alarm depends on.
"""
