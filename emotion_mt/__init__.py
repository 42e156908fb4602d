"""Emotions that films evoke in individual viewers (see README.md).

The public interface is listed in __init__.pyi; import it as

    import emotion_mt as emt

TensorFlow is imported with the first name that needs it.
"""

import os

import lazy_loader

from emotion_mt import paper as paper
from emotion_mt._version import __version__ as __version__

# TensorFlow reads this when it is imported; an own setting is respected.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
