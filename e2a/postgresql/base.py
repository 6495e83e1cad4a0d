"""django-tenants' backend, guarded: a query never runs on another tenant's search path.

The stock backend swallows the error when `SET search_path` itself fails (a cancelled query, a statement timeout), and the
query that follows reads the tenant that the connection served before. Here that error is raised.

Django's own cursors put parameters into the text on the client, so nothing can be prepared. They stay as they are; but a cursor
that raw code opens on the connection (`e2a.postgresql.raw`) binds on the server, and what it repeats is planned once.
"""

from typing import Any

from django.db.backends.postgresql.base import Cursor as DjangoCursor
from django.db.utils import OperationalError
from django_tenants.postgresql_backend import base
from psycopg import Cursor, IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout

from e2a.postgresql.patience import PatientConnection, Silence, patience_left

PREPARED_AFTER = 3  # executions of a text on a connection
PREPARED_AT_MOST = 400  # texts a connection: each tenant has some twenty of its own


class SearchPathNotSet(OperationalError):
    """The tenant's search path could not be set, so nothing was read."""


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params |= {"cursor_factory": Cursor, "prepare_threshold": PREPARED_AFTER}
        pool = self.settings_dict["OPTIONS"].get("pool")
        if isinstance(pool, dict):
            pool["reset"] = reset_connection
            pool["connection_class"] = PatientConnection
        return params

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
        changed: bool = super()._configure_connection(connection)
        return changed

    def create_cursor(self, name: str | None = None) -> Any:
        self.connection.cursor_factory = DjangoCursor
        try:
            return super().create_cursor(name)
        finally:
            self.connection.cursor_factory = Cursor

    def _handle_search_path(self, cursor: Any = None) -> None:
        super()._handle_search_path(cursor)
        if self._setting_search_path or self.search_path_set_schemas:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return  # nothing but a rollback can follow, so nothing can be read
        raise SearchPathNotSet(SearchPathNotSet.__doc__)


def reset_connection(connection: Any) -> None:
    """Runs when a pooled connection comes back, so that raw psycopg code cannot inherit a tenant's search path."""
    connection.execute("RESET search_path")
    if not connection.autocommit:
        connection.commit()


__all__ = ["DatabaseWrapper", "SearchPathNotSet", "reset_connection"]
