"""Install the automations of automations.yaml on the Prefect server: `python -m flows.deployments.alerts`.

MALMOI_ALERT_URL is the address that alerts are posted to, as {"text": …}: an incoming webhook of Slack, Mattermost or
another service. It is not an argument, because it is a secret: it is stored as one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore

from flows.deployments.home_folder import find_server
from malmoi.errors import CallError, MalmoiError, StageError
from malmoi.printable import escape_controls

AUTOMATIONS = Path(__file__).parent / "automations.yaml"
BLOCK = "malmoi-alerts"


def install(url: str) -> list[str]:
    """Make or update the webhook and the automations; return the names of the automations."""
    if not url.startswith(("https://", "http://")):
        raise CallError("MALMOI_ALERT_URL is not an http(s) address; export the webhook that alerts are posted to.")
    server = find_server()
    if server is None:
        raise CallError("no Prefect server is named; export PREFECT_API_URL, and run again.")
    webhook = CustomWebhookNotificationBlock.model_validate(
        {"name": BLOCK, "url": "{{url}}", "json_data": {"text": "{{subject}}\n{{body}}"}, "secrets": {"url": url}}
    )
    try:
        block = webhook.save(BLOCK, overwrite=True)
        automations = read_automations(str(block))
        with get_client(sync_client=True) as client:
            for automation in automations:  # each replaces the one of its name
                for known in client.read_automations_by_name(automation.name):
                    client.delete_automation(known.id)
                client.create_automation(automation)
        return [automation.name for automation in automations]
    except httpx.HTTPError as error:
        raise StageError(
            f"the Prefect server of {server.named_by}, {server.url}, refused or did not answer "
            f"({type(error).__name__}: {error}). Start it, or correct {server.named_by}, and run again."
        ) from error


def read_automations(block: str) -> list[AutomationCore]:
    """Read the automations, with the id of the notification block."""
    said: dict[str, Any] = yaml.safe_load(AUTOMATIONS.read_text(encoding="utf-8").replace("WEBHOOK", block))
    return [AutomationCore.model_validate(one) for one in said["automations"]]


def main() -> int:
    """Install the automations; return the exit status."""
    try:
        for name in install(os.environ.get("MALMOI_ALERT_URL", "")):
            print(f"automation {name}: installed")
    except MalmoiError as error:
        print(f"malmoi: {escape_controls(str(error))}", file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
