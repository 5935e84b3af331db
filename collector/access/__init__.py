"""People, their roles and sessions, API tokens, and the one door every request passes.

Deny by default: ``guard.Guard`` stands in front of the whole application and lets nothing through without a caller but
the few open paths named there. Reading is open on a loopback bind, where whoever can connect can also read our files;
writing never is. Roles: ``viewer`` reads, ``operator`` also works (acknowledges, enrols), ``admin`` also decides who may.
Whom a caller may see is a ``Scope`` and is applied in queries, nowhere else.
"""
