"""The fleet: hubs, sites, hosts and agents; enrolment, join tokens, keys and the topology file.

A host's id is ``<name>.<site>`` and is unique in the fleet; it is the label ``instance``. Site, hub and agency of a
series always come from here, never from an agent.
"""
