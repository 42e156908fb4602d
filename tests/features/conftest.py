"""Small networks, films that carry numbers, and the real weights if any."""

import dataclasses
import fractions
import pathlib

import av
import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from emotion_mt.corpus.corpus import SEGMENT_COLUMNS, Corpus
from emotion_mt.features import architecture, sources, weights
from emotion_mt.features.i3d import build_i3d

#: Beside the repository; absent elsewhere.
SHARED = pathlib.Path(__file__).parents[3] / "shared"

#: Channels of the small networks, relative to the real one.
WIDTH = 1 / 32


@pytest.fixture(scope="session")
def clip():
    """Path of the real clip that has known answers."""
    path = SHARED / "clips" / "v_GGSY1Qvo990.mp4"
    if not path.exists():
        pytest.skip(f"no real clip: {path} is absent")
    return path


@pytest.fixture(scope="session")
def real_variables():
    """The Kinetics-400 variables, downloaded if they are not cached."""
    try:
        return sources.find_variables("auto")
    except weights.WeightsError as error:
        pytest.skip(f"the Kinetics-400 weights cannot be had: {error}")


def random_variables(width, seed=0):
    """Variables of a network whose activations stay of order 1."""
    rng = np.random.default_rng(seed)
    variables = {}
    for name, shape in architecture.variable_shapes(width).items():
        if name.endswith("/w"):
            scale = np.sqrt(2.0 / np.prod(shape[:-1]))
            value = rng.normal(0.0, scale, shape)
        elif name.endswith("moving_variance"):
            value = rng.uniform(0.3, 1.5, shape)
        else:
            value = rng.normal(0.1, 0.1, shape)
        variables[name] = value.astype(np.float32)
    return variables


@pytest.fixture(scope="session")
def small_variables():
    return random_variables(WIDTH)


@pytest.fixture(scope="session")
def small_i3d(small_variables):
    """An I3D of 32 pixels and few channels; feature length 32."""
    model = build_i3d(image_size_px=32, width=WIDTH)
    weights.assign(model, small_variables)
    return model


def _sonnet_unit(variables, net, name, stride=1, relu=True):
    """A unit as DeepMind wrote it: convolution, batch norm, ReLU."""
    prefix = f"{architecture.SCOPE}/{name}"
    strides = [1, stride, stride, stride, 1]
    net = tf.nn.conv3d(net, variables[f"{prefix}/conv_3d/w"], strides, "SAME")
    if f"{prefix}/conv_3d/b" in variables:
        net = net + variables[f"{prefix}/conv_3d/b"]
    else:
        parts = ("moving_mean", "moving_variance", "beta")
        mean, variance, beta = (
            variables[f"{prefix}/batch_norm/{part}"] for part in parts
        )
        net = tf.nn.batch_normalization(net, mean, variance, beta, None, 1e-3)
    return tf.nn.relu(net) if relu else net


def _pool(net, size, stride):
    return tf.nn.max_pool3d(net, [1, *size, 1], [1, *stride, 1], "SAME")


def reference_mixed_5c(variables, net):
    """I3D to Mixed_5c written down a second time, from DeepMind's layout.

    Runs eagerly and in a TF1 graph, where the last tensor gets its name.
    """

    def unit(net, name, stride=1):
        return _sonnet_unit(variables, net, name, stride)

    net = unit(net, "Conv3d_1a_7x7", 2)
    net = _pool(net, (1, 3, 3), (1, 2, 2))
    net = unit(unit(net, "Conv3d_2b_1x1"), "Conv3d_2c_3x3")
    net = _pool(net, (1, 3, 3), (1, 2, 2))
    for block in ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"):
        if block == "4b":
            net = _pool(net, (3, 3, 3), (2, 2, 2))
        if block == "5b":
            net = _pool(net, (2, 2, 2), (2, 2, 2))
        name = f"Mixed_{block}"
        odd = "Conv3d_0a_3x3" if block == "5b" else "Conv3d_0b_3x3"
        branches = [
            unit(net, f"{name}/Branch_0/Conv3d_0a_1x1"),
            unit(
                unit(net, f"{name}/Branch_1/Conv3d_0a_1x1"),
                f"{name}/Branch_1/Conv3d_0b_3x3",
            ),
            unit(
                unit(net, f"{name}/Branch_2/Conv3d_0a_1x1"),
                f"{name}/Branch_2/{odd}",
            ),
            unit(
                _pool(net, (3, 3, 3), (1, 1, 1)),
                f"{name}/Branch_3/Conv3d_0b_1x1",
            ),
        ]
        full_name = f"{architecture.SCOPE}/{name}/concat"
        net = tf.concat(branches, -1, name=full_name)
    return net


def reference_logits(variables, net):
    """Class scores of an input of 32 or 224 pixels."""
    net = reference_mixed_5c(variables, net)
    size = net.shape[2]
    net = tf.nn.avg_pool3d(net, [1, 2, size, size, 1], [1] * 5, "VALID")
    name = architecture.LOGITS_UNIT
    net = _sonnet_unit(variables, net, name, relu=False)
    return tf.reduce_mean(tf.squeeze(net, [2, 3]), axis=1)


def write_hub_module(folder, variables, size_px, preprocess=None):
    """Writes I3D as a TF-Hub module in the format of TF1."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        frames = tf.compat.v1.placeholder(
            tf.float32, [None, None, size_px, size_px, 3], name="rgb_input"
        )
        made = {
            name: tf.compat.v1.get_variable(
                name,
                shape=value.shape,
                initializer=tf.compat.v1.zeros_initializer(),
            )
            for name, value in variables.items()
        }
        net = preprocess(frames) if preprocess else frames
        mixed_5c = reference_mixed_5c(made, net)
        initializers = [variable.initializer for variable in made.values()]
        session.run(
            initializers,
            {
                op.inputs[1]: variables[n]
                for n, op in zip(made, initializers, strict=True)
            },
        )
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {"rgb_input": frames},
            {"default": tf.reduce_mean(mixed_5c, axis=[1, 2, 3])},
        )
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, tags=[], signature_def_map={"default": signature}
        )
        builder.save()
    # ModuleDef(format=FORMAT_V3): what tells a TF1 module from a SavedModel.
    (pathlib.Path(folder) / "tfhub_module.pb").write_bytes(b"\x08\x03")


#: A numbered frame is 3 rows of 4 squares; the squares are 16 pixels.
_BITS = (3, 4)
_SQUARE_PX = 16


def numbered_frame(number):
    """uint8 [48, 64, 3]: the number in binary, black and white squares."""
    bits = [(number >> i) & 1 for i in range(_BITS[0] * _BITS[1])]
    squares = np.array(bits, np.uint8).reshape(_BITS) * 255
    grey = np.kron(squares, np.ones((_SQUARE_PX, _SQUARE_PX), np.uint8))
    return np.repeat(grey[..., None], 3, axis=-1)


def read_number(frame):
    """The number in a frame of any size."""
    small = cv2.resize(
        np.asarray(frame), _BITS[::-1], interpolation=cv2.INTER_AREA
    )
    bits = (small[..., 0] > 127).ravel()
    return int(sum(int(bit) << i for i, bit in enumerate(bits)))


def write_film(path, frames, fps=25.0, codec="MJPG"):
    """Writes a film of numbered frames, or of the frames given."""
    if isinstance(frames, int):
        frames = [numbered_frame(number) for number in range(frames)]
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), fps, (width, height)
    )
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return str(path)


def write_stamped(
    path, stamps_ms, codec="mpeg4", frames=None, sound=(), gop=12
):
    """Writes numbered frames (or those given) at timestamps of their own.

    Args:
        path: The file.
        stamps_ms: Milliseconds of each frame.
        codec: FFmpeg's encoder.
        frames: uint8 [H, W, 3] each.
        gop: Frames from one key frame to the next, at most.
        sound: Milliseconds at which 40 ms of silence begin.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, bit_rate=4_000_000)
        shape = numbered_frame(0).shape if frames is None else frames[0].shape
        video.gop_size = gop
        video.height, video.width = shape[:2]
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.time_base = fractions.Fraction(1, 1000)
        audio = container.add_stream("mp2", rate=48000) if sound else None
        for at_ms in sorted({*stamps_ms, *sound}):
            if at_ms in sound:
                silence = av.AudioFrame("s16", "stereo", 1920)
                silence.planes[0].update(bytes(1920 * 4))
                silence.sample_rate, silence.pts = 48000, 48 * at_ms
                container.mux(audio.encode(silence))
            if at_ms in stamps_ms:
                number = stamps_ms.index(at_ms)
                array = (
                    numbered_frame(number) if frames is None else frames[number]
                )
                frame = av.VideoFrame.from_ndarray(array, "bgr24")
                frame.pts, frame.time_base = at_ms, fractions.Fraction(1, 1000)
                container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    return str(path)


def make_corpus(rows):
    """A corpus of (movie, start_s, end_s, video) rows."""
    segments = pd.DataFrame(
        [
            (f"{movie}-{i}", movie, start, end, "", video)
            for i, (movie, start, end, video) in enumerate(rows)
        ],
        columns=list(SEGMENT_COLUMNS),
    )
    return Corpus("test", segments, ("V1",), np.zeros((len(rows), 1), "f4"))


@dataclasses.dataclass(frozen=True)
class Tools:
    """The helpers above, for tests; test files cannot import each other."""

    width: float = WIDTH
    random_variables = staticmethod(random_variables)
    reference_mixed_5c = staticmethod(reference_mixed_5c)
    reference_logits = staticmethod(reference_logits)
    write_hub_module = staticmethod(write_hub_module)
    numbered_frame = staticmethod(numbered_frame)
    read_number = staticmethod(read_number)
    write_film = staticmethod(write_film)
    write_stamped = staticmethod(write_stamped)
    make_corpus = staticmethod(make_corpus)


@pytest.fixture(scope="session")
def tools():
    return Tools()
