"""A world to test in: agents, hubs, a centre, links, disks, clocks and power, in virtual time and from one seed.

Everything that decides is the product itself: the agent's spool and sender, the collector's application with its
intake, its log and its jobs, on a real database. What the world makes up is only what lies behind the ports: time and
chance (``clock``), the disk (``disk``), the line (``link``), the power (``power``). One seed is one run; nothing here
sleeps or starts a thread: whoever is due next on the timeline takes one step.

An exchange is one event. It is decided when its sender begins it, the receiver's clock shows the moment of arrival, and
the sender is busy until the answer is there; others go on meanwhile. (Since 0.2.0; coroutines were weighed and refused:
the product's loops are steps, and a simulator that needs another form of them would not run the product.)
"""
