"""`./run.sh demo`: a shop's orders come in, deadlines pass, exceptions open, and a summary says what was found."""

import argparse
import hashlib
import hmac
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from e2a.stack.home import ROOT
from e2a.stack.processes import DEMO_SOURCE, DEMO_TENANT, Stack
from e2a.stack.progress import step
from e2a.stack.secret_file import read_values
from e2a.stack.servers import CannotStart, last_line

MOST_ORDERS = 50_000
STALLED_SECONDS = 60
SETTLE_SECONDS = 90
SHOP_SECONDS = 120
PACE_SECONDS = 8
STRUCK_SHARE = 16  # one in so many orders is held up by the same carrier on the same lane: what an incident is


def orders_asked(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./run.sh demo", description="Starts the stack and lets the shop send orders."
    )
    parser.add_argument("--orders", type=int, default=200, metavar="N", help="how many orders (default: 200)")
    asked = int(parser.parse_args(arguments).orders)
    if not 1 <= asked <= MOST_ORDERS:
        parser.error(f"--orders must be a whole number from 1 to {MOST_ORDERS}; it is {asked}.")
    return asked


def run_demo(stack: Stack, orders: int) -> None:
    """The stack runs already. Raises: CannotStart."""
    with step("Setting up the demo tenant, its shop and its logins"):
        made = set_up_tenant(stack)
    with step("Installing its playbooks and its escalation"):
        install_playbooks(stack)
    with step(f"The shop makes {orders:,} orders"):
        ask_shop(stack, "POST", "/admin/orders/generate", {"count": orders, "struck": orders // STRUCK_SHARE})
    later = wait_for_webhooks(stack)
    summary = [sys.executable, str(ROOT / "manage.py"), "demo_summary", DEMO_TENANT, "--wait", str(SETTLE_SECONDS)]
    if subprocess.run(summary, env=stack.environment(), check=False).returncode:
        raise CannotStart("The summary could not be read; ./run.sh status says what does not run.")
    with step("Telling the scoreboard what the orders really suffered from"):
        install(stack, "import_truths", f"{shop_address(stack)}/admin/problems")
    if later:
        print(
            f"\nThe shop's orders live on: {later:,} more webhooks come as they happen, the next of them within minutes."
        )
    print_logins(stack, made)


def set_up_tenant(stack: Stack) -> dict[str, Any]:
    """What `prepare_demo` made or found. Secrets go by its standard input: no list of processes shows them."""
    known = {**read_values(stack.home.secrets), **stack.settings}
    secret = known["SHOPIFY_MOCK_SECRET"]
    given = {
        "source": DEMO_SOURCE,
        "secret": secret,
        "api_url": f"{shop_address(stack)}/admin/api/2026-10",
        "api_token": known.get("SHOPIFY_MOCK_ACCESS_TOKEN") or shop_token(secret),
        "password": known["E2A_DEMO_PASSWORD"],
        "admin_password": known["E2A_ADMIN_PASSWORD"],
    }
    command = [sys.executable, str(ROOT / "manage.py"), "prepare_demo", DEMO_TENANT, "--json"]
    done = subprocess.run(
        command, input=json.dumps(given), env=stack.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotStart(
            f"The demo tenant could not be set up: {last_line(done.stderr).removeprefix('CommandError: ')}"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "password": given["password"], "admin_password": given["admin_password"]}


def shop_address(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.ports['SHOPIFY_MOCK_PORT']}"


def install_playbooks(stack: Stack) -> None:
    """With a Slack channel and a webhook at the shop, which shows what comes in. Its people and customers act quickly here.

    Raises: CannotStart.
    """
    shop = shop_address(stack)
    targets = [
        "--slack",
        f"{shop}/slack/T0/B0/demo",
        "--webhook",
        f"{shop}/hooks/ops",
        "--email",
        "ops@demo-3pl.example",
    ]
    install(stack, "install_playbooks", *targets)
    install(stack, "install_escalation")
    ask_shop(stack, "POST", "/admin/settings", {"pace_seconds": PACE_SECONDS})


def install(stack: Stack, command: str, *given: str) -> None:
    """Raises: CannotStart."""
    words = [sys.executable, str(ROOT / "manage.py"), command, DEMO_TENANT, "--json", *given]
    done = subprocess.run(words, env=stack.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        why = last_line(done.stderr).removeprefix("CommandError: ")
        raise CannotStart(f"What the demo begins with could not be installed: {why}")


def shop_token(secret: str) -> str:
    """The shop's Admin API token, which both sides derive from the secret (shopify_mock/README.md)."""
    return "shpat_" + hmac.new(secret.encode(), b"admin-api", hashlib.sha256).hexdigest()[:32]


def wait_for_webhooks(stack: Stack) -> int:
    """Until all that are due were taken; how many come later. Raises: CannotStart when they stall."""
    with step("Webhooks from the shop") as line:
        best, moved = -1, time.monotonic()
        while True:
            now = ask_shop(stack, "GET", "/stats")["deliveries"]
            sent, pending = now["sent"], now["pending"]
            line.tell(
                f"{sent:,} of {sent + pending:,} taken{', ' + str(now['retrying']) + ' tried again' if now['retrying'] else ''}"
            )
            if not pending:
                return int(now["planned_later"])
            if sent > best:
                best, moved = sent, time.monotonic()
            if time.monotonic() - moved > STALLED_SECONDS:
                raise CannotStart(
                    f"{pending:,} webhooks were not taken, and none was for {STALLED_SECONDS} s: ./run.sh status says what does not "
                    "run, ./run.sh logs api why; say ./run.sh demo again afterwards."
                )
            time.sleep(0.5)


def ask_shop(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Raises: CannotStart when the shop does not answer or refuses."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports["SHOPIFY_MOCK_PORT"], timeout=SHOP_SECONDS)
    try:
        connection.request(method, path, json.dumps(body) if body else None)
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        raise CannotStart("The shop does not answer; see ./run.sh logs shopify-mock.") from None
    finally:
        connection.close()
    if answer.status >= 400:
        raise CannotStart(f"The shop refused: {said.get('errors')}")
    return dict(said)


def print_logins(stack: Stack, made: dict[str, Any]) -> None:
    yours = "the password that was set since"
    ports = stack.ports
    print(f"""
Back-office  {stack.web}/
             {made["username"]} / {made["password"] if made["password_known"] else yours}
Admin        http://{stack.domain}:{ports["E2A_WEB_PORT"]}/admin/
             {made["admin"]} / {made["admin_password"] if made["admin_password_known"] else yours}
API          http://127.0.0.1:{ports["E2A_API_PORT"]}/api/docs
Shop         {shop_address(stack)}/ (e-mails at /mail, Slack at /slack, webhooks at /hooks)

The stack stays up; ./run.sh stop ends it.""")
