"""What did the NFS client ask its servers for? /proc/net/rpc/nfs: packets, calls, and a count for each procedure::

net 70 70 69 45
rpc 1669736484 513251 1669777089
proc3 22 1 5596106 29200 94754 32580 186 47747 7981 8639 0 6356 0 6962 0 7958 0 0 241 4 4 2 39
proc4 61 1 0 0 ...
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, Sample
from agent.checks.labels import NONE, labels
from agent.checks.reading import read_or_no_data, unexpected, words

PATH = "/proc/net/rpc/nfs"
METHODS = {
    "proc2": words(
        "Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename Link SymLink MkDir RmDir"
        " ReadDir FsStat"
    ),
    "proc3": words(
        "Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod Remove RmDir Rename Link"
        " ReadDir ReadDirPlus FsStat FsInfo PathConf Commit"
    ),
    "proc4": words(
        "Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr FsInfo Renew SetClientID"
        " SetClientIDConfirm Lock Lockt Locku Access Getattr Lookup LookupRoot Remove Rename Link Symlink Create"
        " Pathconf StatFs ReadLink ReadDir ServerCaps DelegReturn GetACL SetACL FsLocations ReleaseLockowner Secinfo"
        " FsidPresent ExchangeID CreateSession DestroySession Sequence GetLeaseTime ReclaimComplete LayoutGet"
        " GetDeviceInfo LayoutCommit LayoutReturn SecinfoNoName TestStateID FreeStateID GetDeviceList"
        " BindConnToSession DestroyClientID Seek Allocate DeAllocate LayoutStats Clone"
    ),
}


def parse_rpc(path: str, text: str) -> dict[str, list[int]]:
    """Numbers by the first word of each line; a line with a fraction (nfsd's ``th``) keeps its whole numbers."""
    found: dict[str, list[int]] = {}
    for line in text.splitlines():
        key, *parts = line.split()
        try:
            found[key] = [int(part) for part in parts if "." not in part]
        except ValueError:
            raise unexpected(path, line, "a word and whole numbers") from None
    return found


def numbers(path: str, rows: dict[str, list[int]], key: str, count: int) -> list[int]:
    """The first ``count`` numbers of a line. Raises CheckFailed where the file is cut."""
    found = rows.get(key, [])[:count]
    if len(found) < count:
        raise unexpected(path, f"{key} …", f"a line {key} with {count} numbers")
    return found


def collect(host: Host) -> Iterator[Sample]:
    rows = parse_rpc(PATH, read_or_no_data(host, PATH))
    _, udp, tcp, connections = numbers(PATH, rows, "net", 4)
    calls, again, refreshes = numbers(PATH, rows, "rpc", 3)
    yield Sample("node_nfs_packets_total", COUNTER, labels("protocol", "udp"), udp)
    yield Sample("node_nfs_packets_total", COUNTER, labels("protocol", "tcp"), tcp)
    yield Sample("node_nfs_connections_total", COUNTER, NONE, connections)
    yield Sample("node_nfs_rpcs_total", COUNTER, NONE, calls)
    yield Sample("node_nfs_rpc_retransmissions_total", COUNTER, NONE, again)
    yield Sample("node_nfs_rpc_authentication_refreshes_total", COUNTER, NONE, refreshes)
    for version, methods in METHODS.items():
        for method, count in zip(methods, rows.get(version, [])[1:], strict=False):
            where = labels("method", method, "proto", version[-1])
            yield Sample("node_nfs_requests_total", COUNTER, where, count)


CHECK = Check("nfs", collect)
