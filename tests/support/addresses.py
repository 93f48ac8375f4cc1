"""The address of a database, as SQLAlchemy takes it."""

from sqlalchemy import make_url


def database_address(uri: str, name: str) -> str:
    """The address of another database of the same PostgreSQL server."""
    return make_url(uri).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)
