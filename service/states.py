"""States of jobs and tasks, and the only ways from one to another.

A job has tasks in three stages: one `prepare` (checks everything, authors stages), one per segment,
one `package` (card and manifest). A stage starts when every task of the one before is sealed.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    #: accepted and durable; nothing of it runs or has run since the last retry
    RUNNING = "RUNNING"
    #: at least one task was started
    PACKAGING = "PACKAGING"
    #: every segment is sealed; the dataset is being described
    SUCCEEDED = "SUCCEEDED"
    #: the dataset can be downloaded
    FAILED = "FAILED"
    #: a task failed for good; what was sealed is kept
    CANCELLING = "CANCELLING"
    #: asked to end; workers may still be alive
    CANCELLED = "CANCELLED"
    #: ended on request; what was sealed is kept


class TaskState(StrEnum):
    """Where a task stands."""

    PENDING = "PENDING"
    #: waits for its stage, a slot, or the pause after a failure
    LEASED = "LEASED"
    #: a worker process has it under the current attempt number
    SEALED = "SEALED"
    #: its result is on disk and verified
    FAILED = "FAILED"
    #: the input is wrong, or it failed too often
    CANCELLED = "CANCELLED"
    #: not done because the job was cancelled


class Stage(IntEnum):
    """Order of a job's tasks."""

    PREPARE = 0
    SEGMENTS = 1
    PACKAGE = 2


JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    # FAILED: by a worker that still had a task of it when it was tried again
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLING}),
    JobState.RUNNING: frozenset({JobState.PACKAGING, JobState.FAILED, JobState.CANCELLING}),
    JobState.PACKAGING: frozenset(
        {JobState.SUCCEEDED, JobState.RUNNING, JobState.FAILED, JobState.CANCELLING}
    ),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}

TASK_TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    TaskState.PENDING: frozenset({TaskState.LEASED, TaskState.CANCELLED}),
    TaskState.LEASED: frozenset(
        {TaskState.SEALED, TaskState.FAILED, TaskState.PENDING, TaskState.CANCELLED}
    ),
    TaskState.SEALED: frozenset({TaskState.PENDING}),  # only when its file no longer verifies
    TaskState.FAILED: frozenset({TaskState.PENDING}),
    TaskState.CANCELLED: frozenset({TaskState.PENDING}),
}

ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.PACKAGING, JobState.CANCELLING})
"""States of an unfinished job."""
STARTABLE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.PACKAGING})
"""States in which tasks are started."""
FINISHED = frozenset(JobState) - ACTIVE
"""States that only a user's request leaves."""


def before(target: JobState) -> frozenset[JobState]:
    """The states from which a job may come to `target`."""
    return frozenset(state for state, after in JOB_TRANSITIONS.items() if target in after)


def task_before(target: TaskState) -> frozenset[TaskState]:
    """The states from which a task may come to `target`."""
    return frozenset(state for state, after in TASK_TRANSITIONS.items() if target in after)
