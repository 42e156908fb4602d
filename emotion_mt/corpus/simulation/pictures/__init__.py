"""What simulated films look like: from content to frames."""

from emotion_mt.corpus.simulation.pictures.rendering import render_frames
from emotion_mt.corpus.simulation.pictures.style import Look, make_looks

__all__ = ["Look", "make_looks", "render_frames"]
