"""Whether each part of the stack answers, asked as its users ask it."""

import http.client
from collections.abc import Iterable, Mapping

import psycopg
import redis

from e2a.heartbeat import ages
from e2a.stack.processes import Process, Stack

SECONDS = 2
SILENT_SECONDS = 60
BEATING = ("worker", "beat", "radar")


def trouble_of(process: Process, stack: Stack, beats: Mapping[str, float] | None, fresh: float = SILENT_SECONDS) -> str:
    """Empty when it answers; else what is wrong. `fresh`: how old its last sign of life may be, for those without a port."""
    if process.name == "postgres":
        return "" if postgres_answers(stack) else "does not answer"
    if process.name == "redis":
        return "" if redis_answers(stack) else "does not answer"
    if process.port:
        return "" if healthy(process.port) else f"does not answer at port {process.port}"
    if beats is None:
        return "unknown: the database does not answer"
    age = beats.get(process.name)
    if age is None:
        return "was not heard of yet"
    return "" if age < fresh else f"was not heard of for {age:.0f} s"


def troubles(processes: Iterable[Process], stack: Stack, *, fresh: float = SILENT_SECONDS) -> dict[str, str]:
    """Name and what is wrong, of those with which something is."""
    processes = list(processes)
    beats = heartbeats(stack) if any(process.name in BEATING for process in processes) else {}
    found = {process.name: trouble_of(process, stack, beats, fresh) for process in processes}
    return {name: trouble for name, trouble in found.items() if trouble}


def named_troubles(stack: Stack) -> dict[str, str]:
    """By variable, what is wrong with a server that it names and that is not ours to start."""
    found = {}
    if stack.postgres is None and not postgres_answers(stack):
        found["DATABASE_URL"] = "does not answer"
    if stack.valkey is None and not redis_answers(stack):
        found["REDIS_URL"] = "does not answer"
    return found


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()  # a connection that is closed before its answer was read looks like a fault over there
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def postgres_answers(stack: Stack) -> bool:
    try:
        with psycopg.connect(stack.environment()["DATABASE_URL"], connect_timeout=SECONDS) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def redis_answers(stack: Stack) -> bool:
    try:
        client = redis.Redis.from_url(
            stack.environment()["REDIS_URL"], socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        with client:
            return bool(client.ping())
    except (redis.RedisError, OSError, ValueError):
        return False


def heartbeats(stack: Stack) -> dict[str, float] | None:
    """Seconds since each of worker, beat and radar was last heard of; None when the database cannot say."""
    try:
        with psycopg.connect(stack.environment()["DATABASE_URL"], connect_timeout=SECONDS) as connection:
            return ages(connection.cursor())
    except psycopg.errors.UndefinedTable:
        return {}
    except psycopg.Error:
        return None
