"""The pages people look at: board, site, host, agents, login, errors.

``view.py`` and the other pure files turn fleet, live numbers and verdicts into what a page shows; ``pages/`` has one
file per screen; ``routes.py`` hands it all to the application. Pages are made on the server and read well without
script. Script adds three things: live rows, ages that count, plots.

Why no front-end framework (since 2026-11): a board must open over a 64 kbit/s link and on a phone, and what is shown
must be the server's judgement, not a second one made in the browser. Events therefore carry finished table rows.
htmx was looked at and left out: the one live element needs its own rules for resuming and for telling that it is
stale, and those are shorter as a module of our own.
"""
