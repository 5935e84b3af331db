"""The demonstration world: the places of ``collector.world.topology`` filled with machines, lines, systems and people.

It is the simulator with living numbers instead of unique ones: everything that decides is the product itself. Paced by
the real clock it is ``bongsu demo``; run as fast as it goes, it is what stories and quiet days are played on. The same
seed gives the same world, and the same disasters on request.
"""
