"""A local page: drop a clip and its subtitles, see the timeline per viewer.

Needs the extra `demo`: `pip install "emotion_mt[demo]"`.
"""

from emotion_mt.demo.limits import Limits
from emotion_mt.demo.server import launch, serving

__all__ = ["Limits", "launch", "serving"]
