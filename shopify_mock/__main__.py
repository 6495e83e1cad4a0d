"""`python -m shopify_mock`: the shop, until it is told to stop."""

import logging
import os
import signal
import sqlite3
import sys
import threading

from shopify_mock.config import Config, read_config
from shopify_mock.desk import Desk
from shopify_mock.errors import WrongSetting
from shopify_mock.sender import Sender
from shopify_mock.server import make_server
from shopify_mock.smtp import make_mail_server
from shopify_mock.store import Store

logger = logging.getLogger("shopify_mock")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = read_config(os.environ)
        desk = Desk(Store(config.home), config)
    except WrongSetting as error:
        return _refuse(str(error))
    except (OSError, sqlite3.Error) as error:
        return _refuse(f"SHOPIFY_MOCK_HOME cannot be used: {error}.")
    return _serve(config, desk)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"shopify_mock: {sentence}\n")
    return 2


def _serve(config: Config, desk: Desk) -> int:
    try:
        server = make_server(desk, config.port)
    except OSError as error:
        return _refuse(f"SHOPIFY_MOCK_PORT {config.port} cannot be used: {error.strerror}.")
    try:
        mail = make_mail_server(desk, config.smtp_port)
    except OSError as error:
        return _refuse(f"SHOPIFY_MOCK_SMTP_PORT {config.smtp_port} cannot be used: {error.strerror}.")
    sender = Sender(desk.store, url=config.webhook_url, secret=config.secret)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sender.start()
    threading.Thread(target=mail.serve_forever, args=(0.2,), daemon=True, name="mail").start()
    logger.info("The shop is open at http://127.0.0.1:%d", server.server_address[1])
    logger.info("It takes mail at smtp://127.0.0.1:%d", mail.server_address[1])
    server.serve_forever(poll_interval=0.2)
    mail.shutdown()
    sender.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
