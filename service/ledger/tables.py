"""The tables. Times are milliseconds since 1970; JSON is kept as text.

A change here needs a migration in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()
DELETED = text("deleted_ms IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("device", String(8), nullable=False),
    Column("spec", Text, nullable=False),
    Column("spec_sha256", String(64), nullable=False),
    Column("segments", Integer, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("frames_done", BigInteger, nullable=False),
    Column("expected_bytes", BigInteger, nullable=False),
    Column("seconds_left", Float),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("deleted_ms", BigInteger),
    Column("error", Text),
    Column("last_event", Integer, nullable=False),
    Index("jobs_by_owner", "owner", "created_ms", "id"),
    Index("jobs_by_age", "created_ms", "id"),
    # these two hold all that a submission sums, so that no row with its spec is read for it
    Index("jobs_by_state", "state", "frames", "frames_done", "expected_bytes"),
    Index("jobs_sums_of_owner", "owner", "state", "frames", "frames_done", "expected_bytes"),
    # partial: with all jobs in it, SQLite would sort them all for each page of a list
    Index("jobs_deleted", "deleted_ms", sqlite_where=DELETED, postgresql_where=DELETED),
)

tasks = Table(
    "tasks",
    metadata,
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("not_before_ms", BigInteger, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("frames_done", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("error", Text),
    PrimaryKeyConstraint("job_id", "number"),
    Index("tasks_by_state", "state"),
)

events = Table(
    "events",
    metadata,
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("type", String(16), nullable=False),
    Column("task", Integer),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("job_id", "seq"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(64), nullable=False),
    Column("key", String(255), nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("job_id", String(40), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("owner", "key"),
)

owners = Table("owners", metadata, Column("owner", String(64), primary_key=True))

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("archive_sha256", String(64), nullable=False),
    Index("datasets_by_owner", "owner", "created_ms", "id"),
    Index("datasets_by_age", "created_ms", "id"),
    Index("datasets_by_job", "job_id"),
)

files = Table(
    "files",
    metadata,
    Column("dataset_id", String(40), ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("dataset_id", "name"),
)

assets = Table(
    "assets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("assets_by_owner", "owner", "created_ms", "id"),
)

asset_files = Table(
    "asset_files",
    metadata,
    Column("asset_id", String(40), ForeignKey("assets.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("asset_id", "name"),
)

job_assets = Table(
    "job_assets",
    metadata,
    Column("job_id", String(40), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("asset_id", String(40), nullable=False),
    PrimaryKeyConstraint("job_id", "asset_id"),
    Index("job_assets_by_asset", "asset_id"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("key_id", String(16), ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

dispatcher = Table(
    "dispatcher",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("beat_ms", BigInteger, nullable=False),
    Column("slots", Text, nullable=False),
    Column("disk_low", Integer, nullable=False),
)
