"""What a database itself says of its tables, in every detail, and what stands in them: two that are alike give the same."""

import re
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

from storage.database import Database

Catalog = dict[str, Any]

_OURS = "relnamespace = 'public'::regnamespace"
_POSTGRESQL = {
    "relations": f"""
        SELECT relname, relkind, relpersistence, relreplident, relrowsecurity, reloptions, amname, reltablespace
        FROM pg_class c LEFT JOIN pg_am a ON a.oid = relam WHERE {_OURS}""",
    "columns": f"""
        SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage,
            attcompression, attstattarget, attoptions, attisdropped, collname, pg_get_expr(adbin, adrelid)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_collation l ON l.oid = attcollation
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE {_OURS} AND attnum > 0""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred, convalidated, coninhcount, connoinherit,
            pg_get_constraintdef(oid), conindid::regclass::text
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": f"""
        SELECT pg_get_indexdef(indexrelid), indisunique, indisprimary, indisvalid, indisready, indnullsnotdistinct,
            indimmediate, indisclustered, indisreplident, pg_get_expr(indpred, indrelid)
        FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE {_OURS}""",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size,
            t.relname, attname
        FROM pg_sequences JOIN pg_class s ON s.relname = sequencename AND s.relkind = 'S'
        JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND deptype = 'a'
        JOIN pg_class t ON t.oid = refobjid JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid""",
    "triggers": f"SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE {_OURS} AND NOT tgisinternal",
    "types": "SELECT typname, typcategory FROM pg_type WHERE typnamespace = 'public'::regnamespace",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}
"""Without `atthasmissing`: how PostgreSQL gives a column's default to rows from before it was there; a new table has none."""

_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_KINDS = 'SELECT name, type, ncol, wr, "strict" FROM pragma_table_list'
_CONSTRAINT = re.compile(r"(CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|CHECK)\b")
_NUMBER = re.compile(r"(?<=^sqlite_autoindex_).*")


async def catalog(database: Database) -> Catalog:
    """All of it, sorted; columns have their number with them.

    Without the order of indexes: a new database's are made by name, as PostgreSQL's own backups restore them too, and those
    that migrations added stand behind the others. It counts only where the database finds two of them equally good.
    """
    async with database.reading() as tx:
        return await (await tx.connection()).run_sync(_sqlite if database.is_sqlite else _postgresql)


def _postgresql(connection: Connection) -> Catalog:
    tables = _asked(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found: Catalog = {name: _asked(connection, query) for name, query in _POSTGRESQL.items()}
    return found | {"rows": _rows(connection, [table for (table,) in tables])}


def _sqlite(connection: Connection) -> Catalog:
    """As SQLite understood them and, for what it tells of in no other way (a collation, a conflict's clause), their SQL.

    Without the order of a table's constraints, and so without the numbers of indexes that have no other name: to alter a
    column on SQLite, Alembic makes the table anew, with its constraints in an order of chance.
    """
    found: Catalog = defaultdict(dict)
    for kind, name, table, sql in _asked(connection, _SQLITE):
        found[kind][name] = _parts(sql) if kind == "table" else (table, sql)
    for table in found["table"]:
        found["columns"][table] = _asked(connection, f"PRAGMA table_xinfo({table})")
        found["foreign_keys"][table] = sorted(
            key[2:] for key in _asked(connection, f"PRAGMA foreign_key_list({table})")
        )
        found["indexes"][table] = sorted(
            (_NUMBER.sub("", name), *how, _asked(connection, f"PRAGMA index_xinfo({name})"))
            for _, name, *how in _asked(connection, f"PRAGMA index_list({table})")
        )
    return {**found, "kinds": _asked(connection, _KINDS), "rows": _rows(connection, list(found["table"]))}


def _parts(sql: str) -> tuple[str, list[str], list[str]]:
    """A table's SQL: what stands around its columns and constraints, the columns, the constraints."""
    head, _, body = sql.partition("(")
    body, _, tail = body.rpartition(")")
    parts = [" ".join(part.split()) for part in re.split(r",(?![^(]*\))", body)]
    columns = [part for part in parts if not _CONSTRAINT.match(part)]
    return head.replace('"', "") + tail, columns, sorted(part for part in parts if part not in columns)


def _asked(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in connection.execute(text(query))), key=str)


def _rows(connection: Connection, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    return {table: _asked(connection, f'SELECT * FROM "{table}"') for table in tables}
