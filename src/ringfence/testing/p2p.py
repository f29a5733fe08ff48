"""A real payment network as a graph, to test and measure on.

The data are public, and no part of this package. They are those of Neo4j's peer-to-peer fraud demonstration
(ODC-BY): 33,732 users, the cards and devices they used, and the transfers between them. 6,240 ordered pairs
of users transferred money while sharing a card.
"""

from __future__ import annotations

import os
from pathlib import Path

from ringfence.stores.graph import GraphTables

TABLES = ("User", "HAS_CC", "USED", "P2P")

_NODES = {
    "Account": "SELECT id::VARCHAR AS account_id FROM User ORDER BY id",
    "PaymentInstrument": """
        SELECT to_card_id::VARCHAR AS instrument_id, count(DISTINCT from_user_id) AS accounts
        FROM HAS_CC GROUP BY 1 ORDER BY 1""",
    "Device": """
        SELECT to_device_id::VARCHAR AS device_id, count(DISTINCT from_user_id) AS accounts
        FROM USED GROUP BY 1 ORDER BY 1""",
}
_RELATIONSHIPS = {
    "PAID_WITH": """
        SELECT from_user_id::VARCHAR AS start, to_card_id::VARCHAR AS "end", count(*) AS count,
            min(cardDate)::TIMESTAMP AS first_seen, max(cardDate)::TIMESTAMP AS last_seen
        FROM HAS_CC GROUP BY ALL ORDER BY 1, 2""",
    "USED_DEVICE": """
        SELECT from_user_id::VARCHAR AS start, to_device_id::VARCHAR AS "end", count(*) AS count,
            min(deviceDate)::TIMESTAMP AS first_seen, max(deviceDate)::TIMESTAMP AS last_seen
        FROM USED GROUP BY ALL ORDER BY 1, 2""",
    "TRANSFERRED_TO": """
        SELECT from_user_id::VARCHAR AS start, to_user_id::VARCHAR AS "end", count(*) AS count,
            sum(totalAmount) AS amount_usd, min(transactionDateTime)::TIMESTAMP AS first_seen,
            max(transactionDateTime)::TIMESTAMP AS last_seen
        FROM P2P GROUP BY ALL ORDER BY 1, 2""",
}


def shared_data() -> Path:
    """Return the folder of public data: ``RINGFENCE_SHARED_DATA``, else ``../shared/data``."""
    return Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data"))


def p2p_tables() -> Path | None:
    """Return the folder of the network's Parquet files; None where it is not there."""
    folder = shared_data() / "p2p"
    return folder if all((folder / f"{table}.parquet").is_file() for table in TABLES) else None


def p2p_graph(folder: Path) -> GraphTables:
    """Return the network as accounts, payment instruments, devices and transfers."""
    import duckdb

    with duckdb.connect() as connection:
        for table in TABLES:
            connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
        nodes = {label: connection.sql(query).to_arrow_table() for label, query in _NODES.items()}
        relationships = {
            name: connection.sql(query).to_arrow_table() for name, query in _RELATIONSHIPS.items()
        }
    return GraphTables(nodes, relationships, digest="p2p".ljust(64, "0"))
