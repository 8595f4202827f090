"""Send events of a run so that a server that is gone does not keep the process: each event waited for it by itself.

Prefect tries to connect for 7 seconds for each event, also at the end of the process: with 17 events left, a run ended
two minutes late. Here the events that follow one that failed are kept, and sent with the next one that arrives.
"""

from __future__ import annotations

import time
from typing import Any

from prefect.events import utilities
from prefect.events.clients import RETRYABLE_EXCEPTIONS, PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_CLOUD_API_URL

from flows.deployments.server_address import find_server

AWAY_SECONDS = 10.0  # without an attempt after one that failed


class EventClient(PrefectEventsClient):
    """Keep events instead of sending them for AWAY_SECONDS after one that did not reach the server."""

    _away_until = 0.0  # time.monotonic()

    async def _emit(self, event: Any) -> None:
        if time.monotonic() < self._away_until:
            self._unconfirmed_events.append(event)  # those that `_reconnect` sends again
            return
        try:
            await super()._emit(event)
        except RETRYABLE_EXCEPTIONS:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise


def use_event_client() -> None:
    """Let Prefect send events by EventClient, if a server of one's own takes them."""
    server = find_server()
    if server is not None and not server.url.startswith(PREFECT_CLOUD_API_URL.value()):
        EventsWorker.set_client_override(EventClient)
        # `emit_event` drops each event of a client that is not, by identity, one of those it names: also no subclass.
        vars(utilities)[PrefectEventsClient.__name__] = EventClient
