"""Who may see what: the one place where agency and site limits become SQL or a yes.

Every query of people's data takes a ``Scope``. Roles grow later; the shape stays: a set of agencies, a set of sites,
``None`` meaning all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, true


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: ``None`` = every agency (or site), else just those named."""

    agencies: frozenset[str] | None = None
    sites: frozenset[str] | None = None

    def allows(self, agency: str | None, site: str | None) -> bool:
        """Whether a thing of this agency at this site may be shown."""
        return (self.agencies is None or agency in self.agencies) and (self.sites is None or site in self.sites)

    def where(
        self, agency: ColumnElement[str] | None = None, site: ColumnElement[str] | None = None
    ) -> ColumnElement[bool]:
        """The same as a WHERE clause over the columns a table has; a limit with no column to hold it shows nothing."""
        clauses: list[ColumnElement[bool]] = [true()]
        for limit, column in ((self.agencies, agency), (self.sites, site)):
            if limit is not None:
                clauses.append(column.in_(limit) if column is not None else ~true())
        return and_(*clauses)


EVERYTHING = Scope()
NOTHING = Scope(frozenset(), frozenset())
