"""Who is told next, on which channel, and when: the steps of a policy, and instants kept as rows.

A policy is frozen on an incident when it opens, so that an edit never rewrites a running page. What is due stands in
``timers``: whoever wins the conditional update of one does its work in the same transaction, so that several collectors
make one effect, and a restart forgets nothing.
"""
