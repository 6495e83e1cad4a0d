"""The API server of the benchmark, and who asks it."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from e2a.stack.processes import API_THREADS, api_command
from e2a.stack.servers import wait_until
from tests.bench.place import Place, answers, free_port, settle

CONNECTIONS = 32


class Sink(BaseHTTPRequestHandler):
    """Takes the traces, one request in a hundred."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


class Server:
    """The API server as the stack runs it, everything on; or the same with another application."""

    def __init__(self, place: Place, application: str = "") -> None:
        self.place, self.port = place, free_port()
        metrics = place.home / "metrics"
        metrics.mkdir(exist_ok=True)
        self.sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        Thread(target=self.sink.serve_forever, daemon=True).start()
        command = api_command(self.port)
        command[-1] = application or command[-1]
        self.process = place.start(
            "api",
            command,
            E2A_DB_POOL_SIZE=str(API_THREADS),
            PROMETHEUS_MULTIPROC_DIR=str(metrics),
            SERVICE_NAME="e2a-api",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{self.sink.server_port}",
        )
        wait_until(lambda: answers(self.port), 30, "The API server did not start")
        settle()

    def stop(self) -> None:
        self.place.stop(self.process)
        self.sink.shutdown()
        self.sink.server_close()


def headers_of(key: str, tenant: str = "bench") -> dict[str, str]:
    return {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {key}",
        "X-Tenant-Id": tenant,
        "Content-Type": "application/json",
    }
