"""Machines without an agent: the same checks over SSH.

``targets.py`` says which machines (pure, loads no SSH library), ``ssh.py`` is the ``Host``, ``connection.py`` the only
importer of paramiko, ``channel.py`` the shell kept at the other end, ``scripts.py`` the one-line programs it is given and
how their answers parse, ``known_hosts.py`` the pinned host keys, ``reach.py`` the check whether a host answers at all.

Decisions. Everything is read by scripts for a POSIX sh, not by SFTP: one round trip per question, it works on
busybox, dash and bash, and a key restricted to ``command="sh"`` is enough. A host key is never taken on first sight: an agent
that trusted whoever answers would hand a stranger the numbers an alarm depends on.
"""
