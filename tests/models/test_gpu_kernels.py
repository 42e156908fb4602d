"""Every operation of a training step and of the I3D can run on a GPU.

There is none here, and TensorFlow has no public list of its kernels. What it
was built with is listed by a module that is not public; the wheels for Linux
are built with the kernels of GPUs.
"""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

from emotion_mt.features import build_i3d

#: What a graph is made of, and no kernel computes.
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
STRUCTURE = {"Placeholder", "NoOp", *CALLS}


def nodes(function):
    """All operations of a graph and of the functions that it calls."""
    graph = function.graph.as_graph_def()
    yield from graph.node
    for called in graph.library.function:
        yield from called.node_def


def without_gpu_kernel(function):
    """Names of operations of which no kernel is for a GPU and these types."""
    missing = set()
    for node in nodes(function):
        found = kernels.get_registered_kernels_for_op(node.op).kernel
        if node.op not in STRUCTURE and not any(fits(k, node) for k in found):
            missing.add(node.op)
    return missing


def fits(kernel, node):
    return kernel.device_type in ("GPU", "DEFAULT") and all(
        node.attr[rule.name].type in rule.allowed_values.list.type
        for rule in kernel.constraint
        if rule.name in node.attr
    )


pytestmark = pytest.mark.skipif(
    not any(
        kernel.device_type == "GPU"
        for kernel in kernels.get_registered_kernels_for_op("MatMul").kernel
    ),
    reason="this TensorFlow is built without kernels for GPUs",
)


def test_training_and_prediction(build, batch):
    model = build()
    inputs, labels = batch(model)
    labels[0, 0] = np.nan
    model.compile()
    model.optimizer.build(model.trainable_variables)
    model.train_on_batch(inputs, labels)
    step = tf.function(model.train_step)
    predict = tf.function(model.predict_step)
    arguments = tf.nest.map_structure(tf.constant, (inputs, labels))
    assert without_gpu_kernel(step.get_concrete_function(arguments)) == set()
    known = predict.get_concrete_function(arguments[:1])
    assert without_gpu_kernel(known) == set()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_i3d(dtype):
    model = build_i3d(dtype=dtype, image_size_px=32, width=1 / 16)
    frames = tf.TensorSpec((1, 16, 32, 32, 3), tf.float32)
    function = tf.function(model).get_concrete_function(frames)
    assert without_gpu_kernel(function) == set()


def test_one_without_is_found():
    @tf.function
    def lower(texts):
        return tf.strings.lower(texts)

    spec = tf.TensorSpec([None], tf.string)
    found = without_gpu_kernel(lower.get_concrete_function(spec))
    assert found == {"StringLower"}
