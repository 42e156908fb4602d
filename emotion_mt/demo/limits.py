"""What the page takes."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the page takes.

    Attributes:
        max_upload_mb: Size of one uploaded file in megabytes.
        max_minutes: Length of a film in minutes.
        queue_size: How many predictions may be running or waiting; one runs
            at a time.

    Raises:
        ValueError: If one of them is not positive.

    Example:
        ```python
        limits = Limits(max_upload_mb=100, max_minutes=10)
        ```
    """

    max_upload_mb: float = 500
    max_minutes: float = 60
    queue_size: int = 8

    def __post_init__(self) -> None:
        """Checks the values."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not 0 < value < math.inf:
                raise ValueError(
                    f"`{field.name}` must be a positive number. "
                    f"Received: {value}"
                )
