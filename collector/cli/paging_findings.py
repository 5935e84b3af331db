"""What ``bongsu doctor`` says of calling people: whether pages can leave, and whether anybody notices when they do not."""

from __future__ import annotations

from urllib.parse import urlsplit

from collector.cli.finding import FAIL, OK, WARN, Finding
from collector.errors import CollectorError
from collector.pages.door import Door
from collector.pages.senders import what_is_wrong
from collector.settings import Settings


def channel_findings(settings: Settings) -> list[Finding]:
    """Whether each way out can be used, as far as it can be seen without sending."""
    if not settings.channels:
        return [Finding("C014", WARN, "channels", "none set, so nobody can be paged; configs/channels.toml shows them")]
    try:
        door = Door(settings.outbound)
    except CollectorError as why:
        return [Finding("C014", FAIL, "channels", str(why))]
    found = []
    for channel in settings.channels:
        wrong = what_is_wrong(settings, channel, door)
        text = wrong or f"{channel.kind}; try it with: bongsu channel test {channel.name} ADDRESS"
        found.append(Finding("C014", FAIL if wrong else OK, f"channel {channel.name}", text))
    return found


def watch_findings(settings: Settings, *, is_hub: bool) -> list[Finding]:
    """What is off as shipped, because each house has to decide it: a warning, for it may be meant. Consoles and test pages are
    the centre's matter."""
    return [_watchdog(settings)] if is_hub else [_consoles(settings), _test_page(settings), _watchdog(settings)]


def _consoles(settings: Settings) -> Finding:
    minutes = settings.paging.console_minutes
    if minutes:
        return Finding("C015", OK, "consoles", f"{minutes} minutes without a board at any console call people")
    text = "nobody is called when no console shows the board any more: set [paging] console_minutes, 10 for a room"
    return Finding("C015", WARN, "consoles", f"{text} that is watched around the clock")


def _test_page(settings: Settings) -> Finding:
    paging = settings.paging
    if paging.test_day:
        return Finding("C016", OK, "test page", f"{paging.test_day} at {paging.test_at} {paging.test_timezone}")
    text = "none is sent, so an address or a channel that died shows when somebody has to be called"
    return Finding("C016", WARN, "test page", f'{text}: set [paging] test_day, such as "mon"')


def _watchdog(settings: Settings) -> Finding:
    watchdog = settings.watchdog
    if watchdog.url or watchdog.channel:
        # Whoever has the whole address of such a receiver can speak for us: its host is enough here.
        where = urlsplit(watchdog.url).hostname or f"channel {watchdog.channel}"
        return Finding("C017", OK, "watchdog", f"tells {where} every {watchdog.seconds} s that pages can leave")
    text = "off, so nobody outside notices when this collector, its line or its power is gone"
    return Finding("C017", WARN, "watchdog", f"{text}: set [watchdog] url, or channel and address")
