"""The demo on a real stack: what its summary counts, the end-to-end check behind it, and a breach without worker, beat and Redis."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from e2a.stack import marks
from e2a.stack.processes import DEMO_TENANT
from tests.e2a.test_stack_live import Stack, a_stack

PAYMENT = timedelta(minutes=30)  # the demo's target
FOUND_WITHIN = 5.0


def number(pattern: str, said: str) -> int:
    found = re.search(pattern, said)
    assert found, said
    return int(found[1].replace(",", ""))


@contextmanager
def frozen(stack: Stack, *names: str) -> Iterator[None]:
    """Stopped where they stand, so that the supervisor sees nothing to start again."""
    pids = [pid for pid, part in marks.marked(stack.home.folder).items() if part in names]
    assert len(pids) >= len(names)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def signed_in(stack: Stack, password: str) -> httpx.Client:
    """The demo's manager, by the form as a browser sends it."""
    host = f"{DEMO_TENANT}.localhost:{stack.ports['E2A_WEB_PORT']}"
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{stack.ports['E2A_WEB_PORT']}", headers={"Host": host}, timeout=10
    )
    client.get("/login/")
    cookies = dict(client.cookies)
    client.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    form = {"username": "demo", "password": password, "csrfmiddlewaretoken": cookies["csrftoken"]}
    answer = client.post("/login/", data=form, headers={"Origin": f"http://{host}"})
    assert answer.status_code == 302, answer.text
    client.headers["Cookie"] = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_list("set-cookie"))
    return client


def test_the_demo_shows_what_it_promises() -> None:
    with a_stack() as stack:
        code, said = stack.says("demo", "--orders", "60")
        assert code == 0, said
        assert number(r"Events ([\d,]+)", said) > 300
        assert number(r"Breaches by stage +(\d+)", said) > 0
        assert number(r"Analyses: (\d+) by rules", said) > 0
        assert number(r"(\d+) exceptions solved", said) > 0, said
        assert "Invoices: none yet, there is no billing" in said
        code, checked = stack.says("manage", "e2e_check", "--orders", "20", "--wait-seconds", "45")
        assert code == 0, checked
        assert "orders, all as the shop says" in checked and "checks passed" in checked
        a_breach_needs_no_worker(stack, password=re.findall(r"demo / (\S+)", said)[0])


def a_breach_needs_no_worker(stack: Stack, password: str) -> None:
    code, said = stack.says("manage", "create_api_key", DEMO_TENANT, "--scope", "ingest")
    assert code == 0, said
    headers = {"Authorization": f"Bearer {said.split()[-1]}", "X-Tenant-Id": DEMO_TENANT}
    with closing(signed_in(stack, password)) as pages, frozen(stack, "worker", "beat", "redis"):
        due = datetime.now(UTC) + timedelta(seconds=3)
        event = {
            "source": "wms", "event_type": "order_created", "event_id": "late-1", "order_id": "late-1",
            "occurred_at": (due - PAYMENT).isoformat(), "payload": {},
        }  # fmt: skip
        answer = httpx.post(
            f"http://127.0.0.1:{stack.ports['E2A_API_PORT']}/events", json=event, headers=headers, timeout=10
        )
        assert (answer.status_code, answer.json()["exceptions"]) == (201, [])
        assert exceptions_listed(pages) == 0
        while not exceptions_listed(pages):
            assert datetime.now(UTC) < due + timedelta(seconds=FOUND_WITHIN)
            time.sleep(0.1)
        assert datetime.now(UTC) >= due


def exceptions_listed(pages: httpx.Client) -> int:
    answer = pages.get("/exceptions/?search=late-1")
    assert answer.status_code == 200
    return len(set(re.findall(r'href="/exceptions/(\d+)/"', answer.text)))
