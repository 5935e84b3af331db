"""A whole collector in virtual time: every background job at its own interval, agents with the product's spool and sender,
and people whose pages go to real little servers.

Six sites in two regions, one agent at each. On duty everywhere is kim, then lee; boss is the fallback. Pages go by ``email``
(a real SMTP server) and by ``sms`` (a webhook); both may be away, and so may the database.
"""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from mail_server import Mailbox
from paged_demo import Gateway, gateway
from sqlalchemy import insert, update

from agent.link.exchange import Failure, Request, Response
from agent.link.keys import new_key, save_key
from agent.link.model import pack_values
from agent.link.profile import PROFILES
from agent.link.spool_record import SampleDraft
from collector.agencies.tables import agencies
from collector.app import App
from collector.fleet.keys import centre_key_file, new_receiver, save_receiver
from collector.fleet.tables import hubs, sites
from collector.incidents.incident import Incident
from collector.incidents.queries import list_incidents
from collector.pages.answer_token import PATH
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import Settings, StoreSettings
from collector.settings_channels import Channel, Outbound
from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.world.agent import WorldAgent, seeded_identity
from collector.world.centre import enrol
from collector.world.clock import SeededChance, Timeline
from collector.world.demo.paced_centre import PacedCentre
from collector.world.disk import DiskModel
from collector.world.ledger import complaints, read_ledger
from collector.world.link import Line, Wire
from collector.world.station import InlineLoop

CENTRE = "https://centre"
REGIONS = {"mea": ("abuja", "cairo", "nairobi"), "latam": ("lima", "santiago", "brasilia")}
PEOPLE = """
[[people]]
id = "kim"
name_ko = "김가람"
contacts = [{ channel = "email", address = "kim@example.org" }, { channel = "sms", address = "+82-10-1111-1111" }]
[[people]]
id = "lee"
name_ko = "이나래"
contacts = [{ channel = "sms", address = "+82-10-2222-2222" }, { channel = "email", address = "lee@example.org" }]
[[people]]
id = "boss"
name_ko = "부서장"
contacts = [{ channel = "email", address = "boss@example.org" }]
[[rosters]]
id = "room"
name_ko = "종합상황실"
fallback = ["boss"]
[[rosters.layers]]
name = "main"
crews = [["kim"]]
starts = 2026-01-01
[[rosters.layers]]
name = "second"
crews = [["lee"]]
starts = 2026-01-01
"""


class Heard(NamedTuple):
    """A page that reached somebody; ``at`` in the world's seconds."""

    at: float
    person: str
    channel: str
    kind: str
    incident: int


class SteadyAgent(WorldAgent):
    """Reports values of its own and never says that a check fails."""

    def report(self, count: int = 1) -> None:
        at_ms, offset_ms = self.clock.wall_ms(), self.offset.offset_ms()
        values = pack_values([self._value(at_ms), *self._rest()])
        self.spool.append([SampleDraft(self.schema, at_ms, offset_ms, values)] * count)
        self._note(count)


class DatedMailbox(Mailbox):
    """Knows when each mail came, by ``now``; nobody listens on its port while it is ``shut``."""

    def __init__(self, port: int) -> None:
        super().__init__(port=port)
        self.now: Callable[[], float] = lambda: 0.0
        self.dates: list[float] = []
        self._controller: Controller | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await super().handle_DATA(server, session, envelope)
        self.dates += [self.now()] * (len(self.mails) - len(self.dates))
        return said

    def open(self) -> None:
        box = self

        class Here(Controller):
            def factory(self) -> SMTP:
                return SMTP(box, hostname="mail.example.org")

        self._controller = Here(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def shut(self) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._controller = None


@dataclass
class Whole:
    """``now`` and all moments are seconds from the beginning."""

    folder: Path
    mailbox: DatedMailbox
    phone: Gateway
    settings: Settings
    seed: int = 7
    timeline: Timeline = field(default_factory=Timeline)
    loop: InlineLoop = field(default_factory=InlineLoop)
    line: Line = field(default_factory=lambda: Line(0.05, 10e6))
    agents: dict[str, SteadyAgent] = field(default_factory=dict)

    def begin(self) -> None:
        chance = random.Random(self.seed)
        key = new_key(chance.randbytes)
        self.settings.data_dir.mkdir(parents=True)
        save_receiver(self.settings.data_dir, new_receiver(SeededChance(self.seed)))
        save_key(centre_key_file(self.settings.data_dir), key)
        for region in REGIONS.values():
            for site in region:
                self._settle(site, key.public, chance)
        store = Store(self.settings.store_url)
        upgrade(store)
        self._people_the_rows(store)
        store.close()
        self.centre = PacedCentre(self.timeline, self.loop, self.settings)
        self.centre.least_seconds = lambda: 5.0
        self.centre.begin()
        for agent in self.agents.values():
            agent.boot()

    def end(self) -> None:
        self.centre.end()
        self.loop.close()

    @property
    def now(self) -> float:
        return self.timeline.now

    @property
    def app(self) -> App:
        assert self.centre.app is not None
        return self.centre.app

    def play(self, minutes: float) -> None:
        self.timeline.step(self.timeline.now + minutes * 60)

    def restart(self) -> None:
        self.centre.end()
        self.centre.begin()

    # ------------------------------------------------------------ what is seen

    @property
    def incidents(self) -> list[Incident]:
        """Oldest first."""
        with self.app.store.reading() as connection:
            return list_incidents(connection, EVERYTHING)[::-1]

    @property
    def missing(self) -> list[str]:
        """Everything agents measured that the centre does not hold once, in words."""
        return complaints(read_ledger(self.app.store), self.agents.values())

    @property
    def heard(self) -> list[Heard]:
        """Every page that reached somebody, in order."""
        box = self.mailbox
        found = [
            Heard(at, to[0].partition("@")[0], "email", mail["Bongsu-Kind"], int(mail["Bongsu-Incident"] or 0))
            for at, (_, to, mail) in zip(box.dates, box.mails, strict=True)
        ]
        found += [Heard(one.at, one.person, one.channel, one.kind, one.incident or 0) for one in self.phone.calls]
        return sorted(found)

    def link_of(self, person: str, incident: int) -> str:
        """The address in the last page about an incident that somebody got."""
        links = [one.link for one in self.phone.calls if (one.person, one.incident) == (person, incident)]
        for _, to, mail in self.mailbox.mails:
            if to[0].startswith(f"{person}@") and mail["Bongsu-Incident"] == str(incident):
                links += re.findall(r"https?://\S+", mail.get_content())
        return next(link for link in reversed(links) if PATH in link)

    def ask(self, method: str, path: str) -> Response:
        """As a phone's browser does."""
        form = (("content-type", "application/x-www-form-urlencoded"), ("accept-language", "ko"))
        said = self.centre.answer(Request(method, CENTRE, path, b"", form))
        assert isinstance(said, Response)
        return said

    # ------------------------------------------------------------ who is there

    def _settle(self, site: str, centre_key: bytes, chance: random.Random) -> None:
        number = len(self.agents) + 1
        identity = seeded_identity(number, f"srv1.{site}", site, [CENTRE], chance)
        draws = random.Random(chance.random())
        self.agents[site] = SteadyAgent(
            self.timeline,
            identity,
            centre_key,
            DiskModel(number),
            lambda clock: Wire(self.timeline, clock, draws, lambda _url: (self.line, self._answer)),
            PROFILES["lan"],
            cap_bytes=4 << 20,
        )

    def _answer(self, request: Request, arrives: float) -> Response | Failure:
        return self.centre.answer(request, arrives)

    def _people_the_rows(self, store: Store) -> None:
        now = instant(self.timeline.start_ms)
        with store.transaction() as connection:
            connection.execute(insert(agencies), {"id": "for", "name_ko": "외교정보처", "name_en": "Foreign"})
            for region, there in REGIONS.items():
                connection.execute(insert(hubs), {"id": region, "name_ko": region, "name_en": region})
                for site in there:
                    names = {"name_ko": site, "name_en": site, "timezone": "UTC", "link_profile": "lan"}
                    connection.execute(insert(sites), {"id": site, "agency": "for", "hub": region, **names})
            apply_rosters(connection, read_rosters(PEOPLE, "people"))
            connection.execute(update(people_contacts).values(verified_at=now))
        enrol(store, [agent.identity for agent in self.agents.values()])


@contextmanager
def whole_collector(folder: Path, store_url: str = "") -> Iterator[Whole]:
    """``store_url`` empty: SQLite in its data directory."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox = DatedMailbox(free.getsockname()[1])
    with gateway() as (phone, port):
        mailbox.open()
        mail = {"host": "127.0.0.1", "port": mailbox.port, "security": "plain", "sender": "bongsu@example.org"}
        channels = (
            Channel("email", "smtp", mail),
            Channel("sms", "webhook", {"url": f"http://127.0.0.1:{port}/sms"}, {"secret": "s" * 32}),
        )
        settings = replace(
            Settings(data_dir=folder / "centre"),
            store=StoreSettings(store_url),
            channels=channels,
            outbound=Outbound(private="127.0.0.1"),
        )
        made = Whole(folder, mailbox, phone, settings)
        phone.now = mailbox.now = lambda: made.now
        try:
            made.begin()
            yield made
        finally:
            made.end()
            mailbox.shut()
