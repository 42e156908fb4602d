"""What simulated films look like: from content to frames."""

from emotion_mt.simulation.pictures.frames import render_frames
from emotion_mt.simulation.pictures.looks import make_looks

__all__ = ["make_looks", "render_frames"]
