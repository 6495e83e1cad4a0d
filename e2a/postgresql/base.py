"""django-tenants' backend, guarded: a query never runs on another tenant's search path.

The stock backend swallows the error when `SET search_path` itself fails (a cancelled query, a statement timeout), and the
query that follows reads the tenant that the connection served before. Here that error is raised.

Django's own cursors put parameters into the text on the client, so nothing can be prepared. They stay as they are; but a cursor
that raw code opens on the connection (`e2a.postgresql.raw`) binds on the server, and what it repeats is planned once.
"""

import time
from typing import Any, cast

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import Cursor as DjangoCursor
from django.db.utils import OperationalError
from django_tenants.postgresql_backend import base
from psycopg import Cursor, IsolationLevel
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from e2a.postgresql.patience import PatientConnection, Silence, patience_left

PREPARED_AFTER = 3  # executions of a text on a connection
RESTED_SECONDS = 5.0
PREPARED_AT_MOST = 400  # texts a connection: each tenant has some twenty of its own


class SearchPathNotSet(OperationalError):
    """The tenant's search path could not be set, so nothing was read."""


class RawCursor(Cursor[Any]):
    """Reads instants with psycopg's own loader, in C; Django's goes through Python for each. Both give UTC."""

    def __init__(self, connection: Any, *, row_factory: Any = None) -> None:
        super().__init__(connection, row_factory=row_factory)
        self._adapters = connection.raw_adapters


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params |= {"cursor_factory": RawCursor, "prepare_threshold": PREPARED_AFTER}
        return params

    @property
    def pool(self) -> ConnectionPool[Any] | None:
        """Django's, but that a connection is neither asked how it is nor sent through another thread between two requests."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            made: ConnectionPool[Any] = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,  # type: ignore[arg-type]
                check=check_if_rested,
                connection_class=PatientConnection,
                **options,
            )
            self._connection_pools.setdefault(self.alias, made)
        return cast(ConnectionPool[Any], self._connection_pools[self.alias])

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """One of the pool is waited for no longer than the request's patience lasts. Raises: psycopg_pool.PoolTimeout."""
        pool = self.pool
        if pool is None:
            return super().get_new_connection(conn_params)
        self.isolation_level = IsolationLevel.READ_COMMITTED
        pool.open()
        try:
            return pool.getconn(timeout=patience_left(pool.timeout))
        except PoolTimeout:
            Silence.known = True
            raise

    def _configure_connection(self, connection: Any) -> bool:
        connection.prepared_max = PREPARED_AT_MOST
        connection.served_at = time.monotonic()
        connection.first_search_path = connection.pgconn.parameter_status(b"search_path")
        connection.raw_adapters = AdaptersMap(connection.adapters)
        connection.raw_adapters.register_loader("timestamptz", TimestamptzLoader)
        changed: bool = super()._configure_connection(connection)
        return changed

    def _close(self) -> None:
        if self.connection is not None and self.pool is not None:
            reset_connection(self.connection)
        super()._close()

    def create_cursor(self, name: str | None = None) -> Any:
        self.connection.cursor_factory = DjangoCursor
        try:
            return super().create_cursor(name)
        finally:
            self.connection.cursor_factory = RawCursor

    def _handle_search_path(self, cursor: Any = None) -> None:
        super()._handle_search_path(cursor)
        if self._setting_search_path or self.search_path_set_schemas:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return  # nothing but a rollback can follow, so nothing can be read
        raise SearchPathNotSet(SearchPathNotSet.__doc__)


def check_if_rested(connection: Any) -> None:
    """Before a pooled connection is given out. One that served a moment ago costs no question: if it was cut since, whoever
    gets it finds out (`e2a.postgresql.raw.retried_if_cut`). Raises: psycopg.OperationalError."""
    if time.monotonic() - connection.served_at > RESTED_SECONDS:
        ConnectionPool.check_connection(connection)


def reset_connection(connection: Any) -> None:
    """Before a connection goes back to the pool, so that nobody inherits a tenant's search path or an open transaction.

    The server itself reports the path from PostgreSQL 18 on, so that one left as it was costs no round trip. One that cannot be
    reset is closed, and the pool makes another.
    """
    connection.served_at = time.monotonic()
    try:
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.rollback()
        path = connection.pgconn.parameter_status(b"search_path")
        if path is None or path != getattr(connection, "first_search_path", None):
            connection.execute("RESET search_path")
            if not connection.autocommit:
                connection.commit()
    except psycopg.Error:
        connection.close()


__all__ = ["DatabaseWrapper", "SearchPathNotSet", "reset_connection"]
