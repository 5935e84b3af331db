"""How finely a long play is played: as in life while anything happens or is not well, coarsely while all is quiet.

Of thirty days nearly every hour is like the one before. In such hours jobs run seldom and agents report seldom, as a
policy may have them do. Whoever plants something calls ``Demo.stir`` before it; from then on, and as long as anything
is wrong, agents report as their lines have it and jobs run every few seconds.
"""

from __future__ import annotations

from typing import NamedTuple


class Tempo(NamedTuple):
    """Least seconds between two runs of a job, and seconds between two reports (0 = the line's profile)."""

    job_seconds: float = 1.0
    report_seconds: float = 0.0
    calm_job_seconds: float = 0.0
    """0 = no calm: always as above."""
    calm_report_seconds: float = 0.0

    @property
    def has_calm(self) -> bool:
        return self.calm_job_seconds > 0
