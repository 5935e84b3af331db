"""What taking reports in costs at the least: a program that does only what no collector of this contract can leave out.

    python -m tests.bench.floor DATABASE KEYS

It reads requests, checks each envelope's signature, unpacks its body, appends it to a table, commits durably, and only
then answers with a signed receipt. It knows no fleet, refuses nothing, keeps no live state, finds no duplicate and judges
nothing. What it takes beside the collector is the price of Python, libsodium, zstd, SQLite and a socket; the rest is ours.
``KEYS`` holds 48 bytes for each agent: id and public key.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import sys
import threading
from pathlib import Path

import msgspec
import uvloop

from agent.link.keys import is_signed, new_key
from agent.link.names import ENVELOPE_PREFIX
from agent.link.receipt import Receipt, pack_receipt, receipt_text
from agent.link.wire import open_envelope, open_header, open_request, unpack_frame

GATHERING_SECONDS = 0.005
INSERT = "INSERT INTO envelopes (agent, epoch, first, last, packed) VALUES (?, ?, ?, ?, ?)"
Row = tuple[bytes, bytes, int, int, bytes]


class Floor:
    def __init__(self, database: Path, keys: bytes) -> None:
        self._keys = {keys[at : at + 16]: keys[at + 16 : at + 48] for at in range(0, len(keys), 48)}
        self._own = new_key()
        self._loop = asyncio.get_running_loop()
        self._coming: list[tuple[list[Row], asyncio.Transport]] = []
        self._database = database
        self._waiting: queue.SimpleQueue[list[tuple[list[Row], asyncio.Transport]]] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True).start()

    def take(self, body: bytes, transport: asyncio.Transport) -> None:
        rows = []
        for raw in open_request(body):
            header_bytes, signature, packed = open_envelope(raw)
            header = open_header(header_bytes)
            assert is_signed(ENVELOPE_PREFIX + header_bytes + packed, signature, self._keys[header.agent_id])
            unpack_frame(packed)
            rows.append((header.agent_id, header.epoch, header.first_seq, header.last_seq, bytes(raw)))
        self._coming.append((rows, transport))
        if len(self._coming) == 1:
            self._loop.call_later(GATHERING_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        self._waiting.put(self._coming)
        self._coming = []

    def _write(self) -> None:
        store = sqlite3.connect(self._database, isolation_level=None)
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("PRAGMA synchronous=FULL")
        store.execute("CREATE TABLE envelopes (id INTEGER PRIMARY KEY, agent, epoch, first, last, packed)")
        while True:
            together = self._waiting.get()
            store.execute("BEGIN IMMEDIATE")
            store.executemany(INSERT, [row for rows, _ in together for row in rows])
            store.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._answer, together)

    def _answer(self, together: list[tuple[list[Row], asyncio.Transport]]) -> None:
        for rows, transport in together:
            receipts = [
                receipt_text(pack_receipt(Receipt(agent, epoch, [(1, last)], 0), self._own.sign))
                for agent, epoch, _, last, _ in rows
            ]
            said = msgspec.json.encode({"envelopes": [], "receipts": receipts})
            transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)


class Connection(asyncio.Protocol):
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        at = self._data.find(b"Content-Length: ") + 16
        size = int(self._data[at : self._data.index(b"\r", at)])
        if len(self._data) >= end + size:
            body, self._data = self._data[end : end + size], b""
            self._floor.take(body, self._transport)


async def serve(database: Path, keys: bytes) -> None:
    floor = Floor(database, keys)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(floor), "127.0.0.1", 0)
    print(f"Bongsu is at http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
