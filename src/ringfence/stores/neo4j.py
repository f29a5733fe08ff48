"""The Neo4j store: the only module that imports the driver. Needs a server of version 5.7 or later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from ringfence.errors import QueryError, StoreConflictError, StoreError, StoreUnavailableError
from ringfence.progress import Tick, silent
from ringfence.stores import cypher
from ringfence.stores.graph import GraphTables
from ringfence.stores.guard import EXPLAIN, as_written, check_plan, check_text
from ringfence.stores.policy import foreign_data, needs_load, short
from ringfence.stores.protocol import QueryResult, StoreState
from ringfence.stores.rows import rows_of
from ringfence.stores.values import plain

BATCH = 10_000
"""Rows a write transaction."""

_T = TypeVar("_T")
_CONNECT_SECONDS = 10.0
_RETRY_SECONDS = 15.0
_CLEARING_SHARE = 0.05


class Neo4jStore:
    """The graph of a run in a Neo4j database, with a ``(:Run)`` node that says what it is.

    Args:
        address: ``bolt://`` or ``neo4j://`` address, also with ``+s`` or ``+ssc``.
        user: name of the database user.
        password: that user's password.
        database: name of the database; None for the user's own.
    """

    def __init__(self, address: str, user: str, password: str, database: str | None = None) -> None:
        self._address = address
        self._database = database
        self._verified = False
        with self._boundary():
            self._driver = neo4j.GraphDatabase.driver(
                address,
                auth=(user, password),
                connection_timeout=_CONNECT_SECONDS,
                max_transaction_retry_time=_RETRY_SECONDS,
                # Hints for people who write queries by hand; the driver would print them.
                notifications_min_severity="OFF",
            )

    def __enter__(self) -> Neo4jStore:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections; the data stays."""
        self._driver.close()

    def state(self) -> StoreState | None:
        """Return what the store holds; None where it is empty.

        Raises:
            StoreUnavailableError: the server does not answer, or does not let us in.
            StoreConflictError: it holds data that Ringfence did not write.
        """
        held = self._held()
        if held is None and self._rows(cypher.ANY_NODE):
            raise foreign_data()
        return held

    def counts(self) -> dict[str, int]:
        """Return the number of nodes per label and of relationships per type; none that are zero.

        Raises:
            StoreUnavailableError: the server does not answer, or does not let us in.
        """
        return {name: count for name, count in self._rows(cypher.counts()) if count}

    def load(
        self, graph: GraphTables, *, replace: bool = False, disposable: bool = False, tick: Tick = silent
    ) -> None:
        """Make the store hold ``graph`` and nothing else; see the protocol.

        The ``(:Run)`` node says ``complete: false`` from before the first write until all rows were counted,
        so a load that is cut off at any moment is known, and repaired by the next.

        Raises:
            StoreConflictError: it holds another state, complete and not disposable, and ``replace`` is off.
            StoreUnavailableError: the server does not answer, or does not let us in.
            StoreError: the server refused a write, or does not hold what was written.
        """
        held = self._held() if replace else self.state()
        if not needs_load(held, graph.digest, replace=replace):
            if held is not None and held.disposable and not disposable:
                self._write(cypher.KEEP)
            return
        self._mark(graph, disposable=disposable)
        self._clear()
        tick(_CLEARING_SHARE)
        for statement in cypher.constraints():
            self._write(statement)
        self._write_tables(graph, tick)
        self._complete(graph)
        tick(1.0)

    def read(
        self, cypher: str, parameters: dict[str, Any], *, timeout: float = 30.0, limit: int = 1000
    ) -> QueryResult:
        """Answer a query that only reads.

        Args:
            cypher: one statement; see :mod:`ringfence.stores.guard` for what it may hold.
            parameters: the values of its ``$names``.
            timeout: seconds the server may take.
            limit: the most rows that are returned.

        Raises:
            QueryError: the query is not allowed, is wrong, or took too long.
            StoreUnavailableError: the server does not answer, or does not let us in.
        """
        if timeout <= 0 or limit < 1:
            raise QueryError("A query needs a timeout above 0 s and a limit of at least 1 row.")
        check_text(cypher)

        def first_rows(result: neo4j.Result) -> QueryResult:
            rows = [tuple(plain(value) for value in record.values()) for record in result.fetch(limit + 1)]
            result.consume()
            return QueryResult(tuple(result.keys()), tuple(rows[:limit]), truncated=len(rows) > limit)

        with self._boundary(reading=timeout):
            summary = self._run(EXPLAIN + cypher, parameters, timeout, neo4j.Result.consume)
            check_plan(summary.query_type, summary.plan)
            return self._run(cypher, parameters, timeout, first_rows)

    def _run(
        self, text: str, parameters: dict[str, Any], timeout: float, transform: Callable[[neo4j.Result], _T]
    ) -> _T:
        self._verify()
        return self._driver.execute_query(
            neo4j.Query(text, timeout=timeout),
            parameters,
            routing_=neo4j.RoutingControl.READ,
            database_=self._database,
            result_transformer_=transform,
        )

    def _held(self) -> StoreState | None:
        rows = self._rows(cypher.STATE)
        return StoreState(*rows[0]) if rows else None

    def _mark(self, graph: GraphTables, *, disposable: bool) -> None:
        from ringfence import __version__

        self._write(cypher.MARK, digest=graph.digest, disposable=disposable, version=__version__)

    def _clear(self) -> None:
        with self._boundary():
            self._verify()
            with self._driver.session(database=self._database) as session:
                for statement in (cypher.CLEAR_RELATIONSHIPS, cypher.CLEAR_NODES):
                    session.run(statement).consume()

    def _write_tables(self, graph: GraphTables, tick: Tick) -> None:
        total = sum(graph.counts().values()) or 1
        done = 0
        for statement, table in cypher.writes(graph):
            for start in range(0, table.num_rows, BATCH):
                rows = rows_of(table.slice(start, BATCH))
                self._write(statement, rows=rows)
                done += len(rows)
                tick(_CLEARING_SHARE + (1 - _CLEARING_SHARE) * done / total)

    def _complete(self, graph: GraphTables) -> None:
        expected, held = graph.counts(), self.counts()
        wrong = sorted(name for name in expected | held if expected.get(name, 0) != held.get(name, 0))
        if wrong:
            says = ", ".join(f"{name} {held.get(name, 0)} of {expected.get(name, 0)}" for name in wrong)
            raise StoreError(
                f"The store does not hold what was written ({says}): another load runs at the same time, or "
                "relationships name nodes that the graph lacks. Load again with `ringfence neo4j load OUT`."
            )
        if not self._write(cypher.COMPLETE, digest=graph.digest):
            raise StoreConflictError(
                f"Another load has replaced {short(graph.digest)} while it was being written."
            )

    def _write(self, statement: str, **parameters: Any) -> list[Any]:
        with self._boundary():
            self._verify()
            return self._driver.execute_query(statement, parameters, database_=self._database).records

    def _rows(self, statement: str) -> list[Any]:
        with self._boundary():
            self._verify()
            return self._driver.execute_query(
                statement,
                routing_=neo4j.RoutingControl.READ,
                database_=self._database,
            ).records

    def _verify(self) -> None:
        """Find out at once that nobody answers: the queries' own way to connect tries for long."""
        if not self._verified:
            self._driver.verify_connectivity()
            self._verified = True

    @contextmanager
    def _boundary(self, *, reading: float | None = None) -> Iterator[None]:
        """Turn the driver's errors into ours; ``reading`` is the timeout of a person's query."""
        try:
            yield
        except (ServiceUnavailable, SessionExpired, OSError) as error:
            raise StoreUnavailableError(
                f"No Neo4j answers at {self._address}. Check the address and that the server runs; "
                f"`--neo4j local` starts one here. The driver says: {' '.join(str(error).split())[:300]}"
            ) from error
        except Neo4jError as error:
            raise self._refused(error, reading) from error
        except (DriverError, ValueError, TypeError) as error:
            raise StoreError(f"Neo4j at {self._address} cannot be used: {error}") from error

    def _refused(self, error: Neo4jError, reading: float | None) -> StoreError:
        code, message = error.code or "", error.message or str(error)
        if isinstance(error, AuthError) or code.startswith("Neo.ClientError.Security."):
            return StoreUnavailableError(
                f"Neo4j at {self._address} refused the user or password. Check NEO4J_USERNAME and "
                "NEO4J_PASSWORD, or the user and password in the address."
            )
        if reading is None:
            return StoreError(f"Neo4j at {self._address} failed: {message}")
        if "TransactionTimedOut" in code:
            return QueryError(
                f"The query took longer than {reading:g} s. Narrow it, or allow more with --timeout."
            )
        return QueryError(f"The query failed: {as_written(message)}")
