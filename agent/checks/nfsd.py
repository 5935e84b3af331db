"""What did the NFS server of this machine do? /proc/net/rpc/nfsd::

rc 0 6 18622
fh 0 0 0 0 0
io 215482368 0
th 8 0 0.000 0.000 0.000
ra 32 0 0 0 0 0 0 0 0 0 0 0
net 18628 0 18628 6
rpc 18628 0 0 0 0
proc3 22 2 112 0 ...
proc4ops 72 0 0 0 1098 2 ...
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, Sample
from agent.checks.labels import NONE, labels
from agent.checks.nfs import METHODS, numbers, parse_rpc
from agent.checks.reading import read_or_no_data, words

PATH = "/proc/net/rpc/nfsd"
OPERATIONS = words(
    "- - - Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock Lockt Locku Lookup LookupRoot"
    " Nverify Open OpenAttr OpenConfirm OpenDgrd PutFH - - Read ReadDir ReadLink Remove Rename Renew RestoreFH SaveFH"
    " SecInfo SetAttr - - Verify Write RelLockOwner"
)
"""Operations of NFS 4.0 in the order of their numbers; ``-`` are those node_exporter leaves out."""
SINGLE = (
    ("rc", 0, "node_nfsd_reply_cache_hits_total", COUNTER),
    ("rc", 1, "node_nfsd_reply_cache_misses_total", COUNTER),
    ("rc", 2, "node_nfsd_reply_cache_nocache_total", COUNTER),
    ("fh", 0, "node_nfsd_file_handles_stale_total", COUNTER),
    ("io", 0, "node_nfsd_disk_bytes_read_total", COUNTER),
    ("io", 1, "node_nfsd_disk_bytes_written_total", COUNTER),
    ("th", 0, "node_nfsd_server_threads", GAUGE),
    ("ra", 0, "node_nfsd_read_ahead_cache_size_blocks", GAUGE),
    ("ra", 11, "node_nfsd_read_ahead_cache_not_found_total", COUNTER),
    ("net", 3, "node_nfsd_connections_total", COUNTER),
    ("rpc", 0, "node_nfsd_server_rpcs_total", COUNTER),
)


def collect(host: Host) -> Iterator[Sample]:
    rows = parse_rpc(PATH, read_or_no_data(host, PATH))
    for key, index, name, type_ in SINGLE:
        if key in rows or key in ("net", "rpc"):  # `ra` and `fh` went away in newer kernels
            yield Sample(name, type_, NONE, numbers(PATH, rows, key, index + 1)[index])
    _, udp, tcp, _ = numbers(PATH, rows, "net", 4)
    yield Sample("node_nfsd_packets_total", COUNTER, labels("proto", "udp"), udp)
    yield Sample("node_nfsd_packets_total", COUNTER, labels("proto", "tcp"), tcp)
    _, _, bad_format, bad_authentication, bad_client = numbers(PATH, rows, "rpc", 5)
    for error, count in (("fmt", bad_format), ("auth", bad_authentication), ("cInt", bad_client)):
        yield Sample("node_nfsd_rpc_errors_total", COUNTER, labels("error", error), count)
    tables = ((version, ["-", *METHODS[version][1:]]) for version in ("proc2", "proc3"))
    for version, methods in (*tables, ("proc4ops", OPERATIONS)):
        for method, count in zip(methods, rows.get(version, [])[1:], strict=False):
            if method != "-":
                where = labels("method", method, "proto", version[4])
                yield Sample("node_nfsd_requests_total", COUNTER, where, count)


CHECK = Check("nfsd", collect)
