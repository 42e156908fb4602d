"""How films become windows of frames."""

from __future__ import annotations

import dataclasses
from typing import Any

from emotion_mt import paper

#: Ways to bring a frame to the network's size.
_RESIZE = ("stretch", "crop")


@dataclasses.dataclass(frozen=True)
class FeatureConfig:
    """How films become windows of frames; part of the feature store's key.

    Attributes:
        fps: Frames per second that windows are made of, chosen from the film
            by timestamp: the frame that is on the screen at 0, 1/fps, 2/fps …
            seconds. Default 25 (Sect. IV-A). None takes every frame of the
            film as it comes, and times by the frame rate that the file
            states.
        window_frames: Frames per window (Sect. III-D); at least 8.
        stride_frames: Frames from one window to the next (Sect. III-D).
        resize: "stretch" (default) resizes the whole frame to the network's
            square, whatever its aspect. "crop" resizes the short side to
            256/224 of the network's size and cuts the centre out, as the
            network was trained.

    Raises:
        ValueError: If an attribute is out of its range.
    """

    fps: float | None = paper.FPS
    window_frames: int = paper.WINDOW_FRAMES
    stride_frames: int = paper.WINDOW_STRIDE_FRAMES
    resize: str = "stretch"

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name, fine, expected in (
            ("fps", self.fps is None or self.fps > 0, "positive or None"),
            # Mixed_5c has one frame for 8 of the film.
            ("window_frames", self.window_frames >= 8, "at least 8"),
            ("stride_frames", self.stride_frames >= 1, "at least 1"),
            ("resize", self.resize in _RESIZE, f"one of {_RESIZE}"),
        ):
            if not fine:
                raise ValueError(
                    f"`{name}` must be {expected}. "
                    f"Received: {getattr(self, name)!r}"
                )

    def as_dict(self) -> dict[str, Any]:
        """The attributes, as JSON can hold them."""
        return dataclasses.asdict(self)
