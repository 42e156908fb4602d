"""Imports Keras and its backend without their start-up chatter.

The first import of every room that needs Keras or TensorFlow. `emotion_mt`
itself imports neither, so that help pages and corpora come at once.
"""

import logging
import os

from emotion_mt._startup import without_chatter

# TensorFlow reads this when it is imported; an own setting is respected.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The process that extracts features and the workers share a GPU: none may take
# all of its memory.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# TensorFlow takes several models, each traced once, for one traced again.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)
with without_chatter():
    import keras

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # Looking for GPUs is what writes the last of it.
        tf.config.list_physical_devices()
