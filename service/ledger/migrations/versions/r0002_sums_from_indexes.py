"""Quotas and promised disk space are summed from indexes, not from rows with their specs."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

SUMMED = ["state", "frames", "frames_done", "expected_bytes"]


def upgrade() -> None:
    """Cover what a submission sums, of one owner and of all."""
    op.drop_index("jobs_by_state", table_name="jobs")
    op.create_index("jobs_by_state", "jobs", SUMMED, unique=False)
    op.create_index("jobs_sums_of_owner", "jobs", ["owner", *SUMMED], unique=False)
