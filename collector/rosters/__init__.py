"""Who is on duty (근무표), when, and whom one would call for a site at an instant.

A roster has layers; each says by its own rule who is on duty when: turns, the cycles of Korean shift work, office hours
and home duty by a site's calendar, or the sun. The first layer with anybody on duty is called first, the next ones after
it; an instant that no layer covers is a hole (관제 공백). Rules are in local wall time: a shift begins at the first
instant its clock shows the beginning and ends at the last one it shows the end, so that a change of clocks makes an overlap
and never a gap.

The file of rosters owns people, teams, rosters and their layers. Pages and the API own what changes by the day:
substitutions and absences, extra days off, hand-over notes, addresses of calendar feeds.
"""
