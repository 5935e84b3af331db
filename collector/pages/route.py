"""By which channels a person can be reached, in which order: verified, configured, and healthy ones first."""

from __future__ import annotations

from collections.abc import Container, Sequence

from collector.pages.page import Route
from collector.people.person import Person


def routes(
    person: Person,
    channels: Sequence[str],
    configured: Container[str],
    failing: Container[str],
) -> list[Route]:
    """The ways in the order to try them: those asked for first, then the person's others; what fails now comes last.

    An address that nobody proved is left out: it may be a stranger's.
    """
    order = list(dict.fromkeys((*channels, *(contact.channel for contact in person.contacts))))
    found = [
        Route(contact.channel, contact.address)
        for channel in order
        for contact in person.contacts
        if contact.channel == channel and contact.verified_at is not None and channel in configured
    ]
    return [one for one in found if one.channel not in failing] + [one for one in found if one.channel in failing]


def unreachable(person: Person | None, configured: Container[str]) -> str:
    """Why there is no way to somebody."""
    if person is None:
        return "nobody of that name is known"
    if not person.contacts:
        return "has no address"
    if not any(contact.verified_at is not None for contact in person.contacts):
        return "has no address that was verified"
    channels = sorted({c.channel for c in person.contacts if c.verified_at is not None and c.channel not in configured})
    return f"no channel of theirs is configured: {', '.join(channels)}"
