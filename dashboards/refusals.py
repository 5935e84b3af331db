"""What a Grafana's answer means to the person who ran the command: what happened, to what, and what to do."""

from __future__ import annotations

MEANINGS = {
    400: "Grafana finds the request malformed; this version may be too old or too new for these boards",
    401: "the token is not accepted: give a service account token of this Grafana that has not expired",
    403: "the token may not do this: the service account needs the role Editor (Admin where the data source is pushed)",
    404: "there is no such thing there: does the address end where Grafana's own pages start (its root_url)?",
    409: "something else already has this name or changed at the same moment: run the command again; if it stays, "
    "rename or remove the other one",
    412: "something else in the folder has the same title, or a newer version was saved meanwhile: run the command "
    "again; if it stays, rename or remove the other one",
    413: "the board is larger than the proxy before Grafana lets through: raise its body limit",
    429: "Grafana asked us to slow down and still did after several tries: wait a minute and run the command again",
}
GATEWAY = "Grafana, or a proxy before it, is not answering: look whether Grafana runs, then run the command again"
OTHER = "Grafana failed by itself, or something that is no Grafana answered: see Grafana's own log"


class PushError(Exception):
    """Grafana did not take what was pushed."""


def explain(base_url: str, method: str, path: str, status: int, said: str) -> str:
    """One sentence for an error reply. ``said`` is Grafana's own message, or the start of whatever page came back."""
    meaning = MEANINGS.get(status) or (GATEWAY if status in (502, 503, 504) else OTHER)
    return f"{method} {base_url}/api{path} answered {status} ({shorten(said)}): {meaning}"


def shorten(said: str, limit: int = 160) -> str:
    """One line of at most ``limit`` characters."""
    line = " ".join(said.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
