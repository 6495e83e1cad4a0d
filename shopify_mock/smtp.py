"""A mail server that takes everything and sends nothing on: what is written to it is shown at `/mail`.

As much of RFC 5321 as a sending client needs; no encryption, no login; on loopback only.
"""

import email
import email.policy
import logging
import re
import socketserver
from collections.abc import Callable
from email.message import EmailMessage
from random import Random

from shopify_mock.customers import customers_read
from shopify_mock.desk import Desk
from shopify_mock.inbox import Inbox
from shopify_mock.lives import Lives

logger = logging.getLogger(__name__)
MAX_MESSAGE = 1024 * 1024
LONGEST_LINE = 4096
MOST_RECIPIENTS = 100
TIMEOUT_SECONDS = 30
ADDRESS = re.compile(r"(?:FROM|TO):\s*<(?P<address>[^<>\s]{0,254})>(?:\s.*)?", re.IGNORECASE)


class Postbox:
    """Keeps a message, and lets customers read it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.inbox, self.lives = desk, Inbox(desk.store), Lives(desk)

    def refuses(self) -> bool:
        """By the share that was asked for."""
        return Random(f"mail/{self.inbox.count('mail')}").random() < self.desk.settings.inbox_fail

    def take(self, sender: str, recipients: list[str], raw: bytes) -> int:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        part = message.get_body(("plain", "html"))
        headers = {name: str(message[name]) for name in ("From", "To", "Message-ID", "Date") if message[name]}
        number = self.inbox.keep(
            "mail",
            sender=sender,
            recipient=", ".join(recipients),
            subject=str(message["Subject"] or ""),
            headers=headers,
            body=part.get_content() if part else "",
        )
        customers_read(self.lives, recipients)
        return number


def make_mail_server(desk: Desk, port: int) -> socketserver.ThreadingTCPServer:
    """Raises: OSError when the port is taken."""
    box = Postbox(desk)

    class Handler(_Handler):
        postbox = box

    return _Server(("127.0.0.1", port), Handler)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(socketserver.StreamRequestHandler):
    postbox: Postbox
    timeout = TIMEOUT_SECONDS
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.commands: dict[str, Callable[[str], None]] = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "MAIL": self._mail,
            "RCPT": self._recipient,
            "DATA": self._data,
            "RSET": self._reset,
            "NOOP": lambda rest: self._say("250 OK"),
        }

    def handle(self) -> None:
        self._say("220 casa-llum ready")
        try:
            while line := self.rfile.readline(LONGEST_LINE):
                verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                if verb.upper() == "QUIT":
                    self._say("221 Bye")
                    return
                command: Callable[[str], None] = self.commands.get(verb.upper(), self._unknown)
                command(rest)
        except (OSError, TimeoutError):
            logger.debug("A mail client went away.")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _unknown(self, rest: str) -> None:
        self._say("502 Command not known")

    def _hello(self, rest: str) -> None:
        self._say(f"250-casa-llum\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {MAX_MESSAGE}")

    def _reset(self, rest: str) -> None:
        self.sender, self.recipients = None, []
        self._say("250 OK")

    def _mail(self, rest: str) -> None:
        match = ADDRESS.fullmatch(rest)
        if match is None:
            self._say("501 Say MAIL FROM:<address>")
        elif self.postbox.refuses():
            self._say("451 Try again later")
        else:
            self.sender, self.recipients = match["address"], []
            self._say("250 OK")

    def _recipient(self, rest: str) -> None:
        match = ADDRESS.fullmatch(rest)
        if self.sender is None or len(self.recipients) >= MOST_RECIPIENTS:
            self._say("503 Not now")
        elif match is None or "@" not in match["address"]:
            self._say("553 No such address")
        else:
            self.recipients.append(match["address"])
            self._say("250 OK")

    def _data(self, rest: str) -> None:
        if not self.recipients or self.sender is None:
            self._say("503 Say MAIL and RCPT first")
            return
        self._say("354 End with a dot on a line of its own")
        raw = self._read_message()
        if raw is None:
            self._say("552 The message is too large")
        else:
            number = self.postbox.take(self.sender, self.recipients, raw)
            self._say(f"250 OK {number}")
        self.sender, self.recipients = None, []

    def _read_message(self) -> bytes | None:
        """None if it is too large; it is read to its end all the same."""
        lines, size = [], 0
        while (line := self.rfile.readline(MAX_MESSAGE)) and line.rstrip(b"\r\n") != b".":
            size += len(line)
            if size <= MAX_MESSAGE:
                lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines) if size <= MAX_MESSAGE else None
