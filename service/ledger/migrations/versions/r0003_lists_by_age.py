"""The index of deleted jobs holds only those.

With all jobs in it, SQLite took it for "not deleted" and sorted every job for each page of a list.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index partial."""
    deleted = sa.text("deleted_ms IS NOT NULL")
    op.drop_index("jobs_deleted", table_name="jobs")
    op.create_index(
        "jobs_deleted", "jobs", ["deleted_ms"], sqlite_where=deleted, postgresql_where=deleted
    )
