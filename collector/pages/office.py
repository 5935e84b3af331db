"""The post office: everything of pages in one running part, as the collector builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.link.clock import SystemChance
from collector.jobs import Job
from collector.pages import page as p
from collector.pages.answer import Answerable, Answered, answer, find_answer, find_reply
from collector.pages.delivery import SECONDS as DELIVERY_SECONDS
from collector.pages.delivery import DeliveryJob
from collector.pages.desk import Ways
from collector.pages.door import Door
from collector.pages.drill_job import SECONDS as DRILL_SECONDS
from collector.pages.drill_job import DrillJob
from collector.pages.forget_queries import forget_heartbeats, forget_pages
from collector.pages.job import SECONDS, Crew, PageJob
from collector.pages.mailbox_job import MailboxJob
from collector.pages.outbox import row_of
from collector.pages.page import Route
from collector.pages.pipeline import Outgoing
from collector.pages.queries import add_page, supersede_heartbeats
from collector.pages.reply_refused import row_of_refusal
from collector.pages.senders import channels_with_replies, configured_senders, mailbox_of
from collector.pages.senders.base import Sender
from collector.pages.senders.mailbox import Mailbox
from collector.pages.summary_job import SECONDS as SUMMARY_SECONDS
from collector.pages.summary_job import SummaryJob
from collector.pages.watch import SECONDS as WATCH_SECONDS
from collector.pages.watch import Watch
from collector.pages.wording import Matter, Reader, word
from collector.people.queries import whole_book
from collector.store.schema import instant
from collector.telemetry_pages import PageTelemetry
from collector.telemetry_replies import ReplyTelemetry

if TYPE_CHECKING:
    from collector.pages.reply_take import Incoming
    from collector.services import Services

KEEP_HEARTBEATS = timedelta(days=1)
AT_ONCE = 1_000


class PostOffice:
    """``pages``, ``deliveries``, ``drill`` and ``watch`` are its jobs."""

    def __init__(
        self,
        services: Services,
        silenced: Callable[[Mapping[str, str], datetime], str],
        *,
        senders: Mapping[str, Sender] | None = None,
        crew: Crew | None = None,
        may_act: Callable[[], bool] = lambda: True,
        on_point: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """``senders`` None: those of the settings. ``crew``: whom a hub calls instead of rosters and people, which it has
        not. ``may_act``: False while another collector (a hub's centre) does the paging. Raises SettingsError."""
        settings = services.settings
        self._services = services
        self._may_act = may_act
        door = Door(settings.outbound)
        if senders is None:
            senders = configured_senders(settings, door, services.clock)
        self._mailboxes = [
            MailboxJob(services.store, self, Mailbox(options, door), channel.name)
            for channel in settings.channels
            if (options := mailbox_of(channel)).mailbox_host
        ]
        self.senders = senders
        self.replies = ReplyTelemetry(services.telemetry.registry)
        self.telemetry = PageTelemetry(services.telemetry.registry, senders)
        self.ways = Ways(
            frozenset(senders), services.answer_secret, settings.server.url, settings.paging.outside_channels
        )
        self.deliveries = DeliveryJob(
            services.store,
            senders,
            self.ways.secret,
            self.ways.base_url,
            services.clock,
            SystemChance(),
            self.telemetry,
            on_point,
            channels_with_replies(settings),
        )
        wake = self.deliveries.wake
        self.pages = PageJob(
            services.store,
            services.registry,
            self.ways,
            lambda: services.standing,
            services.windows,
            silenced,
            wake=wake,
            on_point=on_point,
            crew=crew,
        )
        self.drill = DrillJob(services.store, services.registry, self.ways, settings.paging, wake)
        self.summary = SummaryJob(services.store, services.registry, self.ways, settings.paging.summary_at, wake)
        started_at = instant(services.clock.wall_ms())
        self.watch = Watch(services.store, services.registry, settings.paging.console_minutes, started_at)
        self._forgot_at = started_at

    def jobs(self) -> tuple[Job, ...]:
        jobs = [Job("pages", SECONDS, self._page), Job("page_delivery", DELIVERY_SECONDS, self._deliver)]
        if not self._services.is_hub:
            jobs += [
                Job("duty_watch", WATCH_SECONDS, self.watch.step),
                Job("test_pages", DRILL_SECONDS, self.drill.step),
                Job("daily_summary", SUMMARY_SECONDS, self.summary.step),
            ]
        jobs += [Job(f"mailbox_{n}", box.every_seconds, box.step) for n, box in enumerate(self._mailboxes, 1)]
        return tuple(jobs)

    def start(self) -> None:
        """From now on channels send on threads of their own."""
        self.deliveries.start()

    def stop(self) -> None:
        self.deliveries.stop()

    def find_answer(self, token: str) -> Answerable | None:
        with self._services.store.reading() as connection:
            return find_answer(connection, token, self._now())

    def answer(self, token: str, way: str, *, comes: bool = True, for_: str = "") -> Answered | None:
        """Take an answer by a page's token; None where there is no such page."""
        with self._services.store.transaction() as connection:
            found = find_answer(connection, token, self._now())
            if found is None:
                return None
            return answer(connection, found, self._now(), way, self._services.registry.fleet, comes=comes, for_=for_)

    def answer_reply(
        self, channel: str, addresses: tuple[str, ...], way: str, *, number: int | None = None, comes: bool = True
    ) -> Answered | None:
        """Take the reply of whoever has one of these addresses; None where nothing that waits went there."""
        now = self._now()
        with self._services.store.transaction() as connection:
            found = find_reply(connection, channel, addresses, now, number)
            if found is None:
                return None
            return answer(connection, found, now, way, self._services.registry.fleet, comes=comes)

    def send_heartbeat(self, channel: str, address: str, now: datetime) -> None:
        """A sign of life to somebody outside, by the way every page takes: outbox, claim, channel."""
        worded = word(Matter(p.HEARTBEAT, self.ways.base_url), Reader("en", "UTC", channel in self.ways.outside), now)
        row = row_of(
            Outgoing("watchdog", ((Route(channel, address), worded),), now, "en", ""),
            kind=p.HEARTBEAT,
            severity=p.INFO,
            uid="heartbeat",
            timer=round(now.timestamp() * 1000),
            step=0,
            now=now,
            secret=self.ways.secret,
        )
        with self._services.store.transaction() as connection:
            supersede_heartbeats(connection, channel, address)
            add_page(connection, row)
        self.deliveries.wake()

    def tell_refused(self, channel: str, reply: Incoming, code: str, now: datetime) -> None:
        """Whoever wrote it learns that it acknowledged nothing."""
        with self._services.store.transaction() as connection:
            row = row_of_refusal(whole_book(connection).people.values(), self.ways, channel, reply, code, now)
            is_new = row is not None and add_page(connection, row)
        if is_new:
            self.deliveries.wake()

    def forget(self, now: datetime) -> int:
        """Delete pages and decisions about them that are past ``[paging] keep_days``; how many rows."""
        before = now - timedelta(days=self._services.settings.paging.keep_days)
        total = 0
        while True:
            with self._services.store.transaction() as connection:
                deleted = forget_pages(connection, before, AT_ONCE)
            total += deleted
            if not deleted:
                return total

    def _page(self, now: datetime) -> datetime | None:
        return self.pages.step(now) if self._may_act() else None

    def _deliver(self, now: datetime) -> datetime | None:
        if not timedelta() <= now - self._forgot_at < timedelta(hours=1):
            with self._services.store.transaction() as connection:
                forget_heartbeats(connection, now - KEEP_HEARTBEATS)
            self._forgot_at = now
        return self.deliveries.step(now)

    def _now(self) -> datetime:
        return instant(self._services.clock.wall_ms())
