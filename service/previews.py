"""Pictures of finished segments, also while their job still runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from datagen.pipeline.layout import PREVIEWS
from service.errors import NotFound
from service.folders import Folders
from service.http.content import Content
from service.states import TaskState
from service.views import PREVIEW_SUFFIXES, media_type_of


def preview_content(
    folders: Folders, job_id: str, segments: Sequence[Row[Any]], name: str
) -> Content:
    """One picture, by exactly the name that its segment lists.

    Raises:
        NotFound: no sealed segment lists it, or its file is gone.
    """
    listed = {
        task.name + suffix: task
        for task in segments
        if task.state == TaskState.SEALED
        for suffix in PREVIEW_SUFFIXES
    }
    if name not in listed:
        raise NotFound(f"{job_id} has no preview {name!r}; its segments list those that there are")
    try:
        data = (folders.dataset(job_id) / PREVIEWS / name).read_bytes()
    except OSError as error:
        raise NotFound(f"the preview {name!r} of {job_id} is not there any more") from error
    return Content(
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=media_type_of(name),
        filename=name,
        modified_ms=listed[name].finished_ms,
        read=lambda start, stop: iter([data[start:stop]] if stop > start else []),
        inline=True,
    )
