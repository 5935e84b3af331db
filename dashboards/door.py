"""The one way to a Grafana: asks, tries again where that helps, and words what went wrong.

The client asked for grafana-api, which upstream archived in 2022; it is used here, and only here, as a transport.
What it does not do is put right on its public ``requests`` session, without touching the library:

- it tries nothing twice: an adapter does, also for POST, since every write of ours is keyed by a uid or a name;
- an empty answer (204) makes it fail after the fact, and an error page that is not JSON hides the status: a hook
  rewrites both before it looks;
- a redirect would turn POST into GET and look like success: the hook refuses it;
- a path prefix needs its trailing slash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dashboards.refusals import PushError, explain, shorten
from dashboards.selectors import PAGES_URL
from dashboards.transport import cause, retries, split_url, tidy


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Where to push and as whom. ``datasource_url`` None leaves data sources alone; ``source_token`` is what Grafana is
    to show to that data source (an API token of the collector), ``pages_url`` where our own pages are."""

    url: str
    token: str
    datasource_url: str | None = None
    ca_file: str | None = None
    timeout_seconds: float = 10.0
    backoff_seconds: float = 0.5
    pages_url: str = PAGES_URL
    source_token: str | None = None


class Refused(PushError):
    """An error reply; ``status`` is its HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """A connection to one Grafana, as one service account."""

    def __init__(self, settings: PushSettings) -> None:
        self.base_url, scheme, host, prefix = split_url(settings.url)
        if settings.ca_file is not None and not Path(settings.ca_file).is_file():
            raise PushError(f"--ca-file {settings.ca_file}: there is no such file")
        from grafana_api.grafana_face import GrafanaFace  # on first use: whoever only builds boards needs no client
        from requests.adapters import HTTPAdapter

        self._api = GrafanaFace(
            auth=settings.token,
            host=host,
            url_path_prefix=prefix,
            protocol=scheme,
            verify=settings.ca_file or True,
            timeout=settings.timeout_seconds,
        ).api
        session = self._api.s
        for start in ("http://", "https://"):
            session.mount(start, HTTPAdapter(max_retries=retries(settings.backoff_seconds)))
        session.hooks["response"].append(tidy)

    def close(self) -> None:
        """Give back the kept connections."""
        self._api.s.close()

    def check_health(self) -> None:
        """Raises PushError where no working Grafana answers under the address."""
        health = self.find("/health")
        if health is None or "database" not in health:
            raise PushError(
                f"{self.base_url}/api/health is not Grafana's: give the address its pages have, with its path"
                " (https://example.org/grafana)"
            )

    def find(self, path: str) -> dict[str, Any] | None:
        """The object at a path, None where there is none."""
        try:
            answer = self.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        if not isinstance(answer, dict):
            raise PushError(f"GET {self.base_url}/api{path} answered something else than an object: no Grafana?")
        return answer

    def is_there(self, path: str) -> bool:
        """Whether this Grafana knows an address at all."""
        try:
            self.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def ask(self, method: Literal["GET", "POST", "PUT"], path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; None where the answer has no body. Raises Refused for an error reply, PushError for none."""
        from grafana_api.grafana_api import GrafanaException
        from requests.exceptions import ConnectionError as NotConnected
        from requests.exceptions import JSONDecodeError, RequestException, SSLError, Timeout

        where = f"{method} {self.base_url}/api{path}"
        try:
            return getattr(self._api, method)(path, json=body)
        except GrafanaException as error:
            said = error.response.get("message", "") if isinstance(error.response, dict) else str(error.response)
            text = explain(self.base_url, method, path, error.status_code, str(said))
            raise Refused(text, error.status_code) from error
        except JSONDecodeError as error:
            raise PushError(
                f"{where} answered a page, not JSON: a login page or another service stands at this address"
            ) from error
        except SSLError as error:
            raise PushError(
                f"{where}: no trusted TLS ({cause(error)}): is it https? An authority of your own goes to --ca-file"
            ) from error
        except (Timeout, NotConnected) as error:
            raise PushError(
                f"{where}: no connection ({cause(error)}): is the address right, does Grafana run?"
            ) from error
        except RequestException as error:
            raise PushError(f"{where}: {shorten(str(error))}") from error
