"""Small networks, films that carry numbers, and the real weights if any."""

import fractions
import types

import av
import cv2
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from emotion_mt.corpus.corpus import SEGMENT_COLUMNS, Corpus
from emotion_mt.features import i3d, sources, weights

#: Channels of the small networks, relative to the real one.
WIDTH = 1 / 32


@pytest.fixture(scope="session")
def clip(shared):
    """Path of the real clip that has known answers."""
    return shared / "clips" / "v_GGSY1Qvo990.mp4"


@pytest.fixture(scope="session")
def real_variables():
    """The Kinetics-400 variables, downloaded if they are not cached."""
    try:
        return sources.find_variables("auto")
    except weights.WeightsError as error:
        pytest.skip(f"the Kinetics-400 weights cannot be had: {error}")


def random_variables(width=1.0):
    """Variables of a network whose activations stay of order 1."""
    rng = np.random.default_rng(0)
    variables = {}
    for unit in i3d.units(width).values():
        for name, shape in unit.variables.items():
            if name.endswith("/w"):
                scale = np.sqrt(2.0 / np.prod(shape[:-1]))
                value = scale * rng.standard_normal(shape, np.float32)
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
def full_variables():
    return random_variables()


def small_network(variables, **more):
    """An I3D of 32 pixels and few channels; feature length 32."""
    model = i3d.build_i3d(image_size_px=32, width=WIDTH, **more)
    weights.assign(model, variables)
    return model


@pytest.fixture(scope="session")
def small_i3d(small_variables):
    return small_network(small_variables)


def quick_network(seed=0, dtype="float32"):
    """Stands in for the I3D, 16 pixels to 4 channels, and takes no time."""
    frames = keras.Input((None, 16, 16, 3))
    pooled = keras.layers.AveragePooling3D((8, 4, 4))(frames)
    start = keras.initializers.HeNormal(seed)
    conv = keras.layers.Conv3D(4, 1, kernel_initializer=start, dtype=dtype)
    return keras.Model(frames, conv(pooled))


@pytest.fixture(scope="session")
def network():
    return quick_network()


def _sonnet_unit(variables, net, name, stride=1, relu=True):
    """A unit as DeepMind wrote it: convolution, batch norm, ReLU."""
    prefix = f"RGB/inception_i3d/{name}"
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

    def units(net, block, *names):
        for name in names:
            net = _sonnet_unit(variables, net, f"{block}{name}")
        return net

    net = _sonnet_unit(variables, net, "Conv3d_1a_7x7", 2)
    net = _pool(net, (1, 3, 3), (1, 2, 2))
    net = units(net, "", "Conv3d_2b_1x1", "Conv3d_2c_3x3")
    net = _pool(net, (1, 3, 3), (1, 2, 2))
    for block in ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"):
        if block == "4b":
            net = _pool(net, (3, 3, 3), (2, 2, 2))
        if block == "5b":
            net = _pool(net, (2, 2, 2), (2, 2, 2))
        name = f"Mixed_{block}/Branch_"
        odd = "2/Conv3d_0a_3x3" if block == "5b" else "2/Conv3d_0b_3x3"
        pooled = _pool(net, (3, 3, 3), (1, 1, 1))
        branches = [
            units(net, name, "0/Conv3d_0a_1x1"),
            units(net, name, "1/Conv3d_0a_1x1", "1/Conv3d_0b_3x3"),
            units(net, name, "2/Conv3d_0a_1x1", odd),
            units(pooled, name, "3/Conv3d_0b_1x1"),
        ]
        full_name = f"RGB/inception_i3d/Mixed_{block}/concat"
        net = tf.concat(branches, -1, name=full_name)
    return net


def reference_logits(variables, net):
    """Class scores of an input of 32 or 224 pixels."""
    net = reference_mixed_5c(variables, net)
    size = net.shape[2]
    net = tf.nn.avg_pool3d(net, [1, 2, size, size, 1], [1] * 5, "VALID")
    net = _sonnet_unit(variables, net, "Logits/Conv3d_0c_1x1", relu=False)
    return tf.reduce_mean(tf.squeeze(net, [2, 3]), axis=1)


#: A numbered frame is 3 rows of 4 squares; the squares are 16 pixels.
_BITS = (3, 4)


def numbered_frame(number):
    """uint8 [48, 64, 3]: the number in binary, black and white squares."""
    bits = [(number >> i) & 1 for i in range(_BITS[0] * _BITS[1])]
    squares = np.array(bits, np.uint8).reshape(_BITS) * 255
    grey = np.kron(squares, np.ones((16, 16), np.uint8))
    return np.repeat(grey[..., None], 3, axis=-1)


def read_number(frame):
    """The number in a frame of any size."""
    small = cv2.resize(
        np.asarray(frame), _BITS[::-1], interpolation=cv2.INTER_AREA
    )
    bits = (small[..., 0] > 127).ravel()
    return int(sum(int(bit) << i for i, bit in enumerate(bits)))


def write_stamped(
    path, stamps_ms, codec="mpeg4", frames=None, sound=(), gop=12
):
    """Writes numbered frames (or those given) at timestamps of their own.

    Args:
        path: The file.
        stamps_ms: Milliseconds of each frame.
        codec: FFmpeg's encoder.
        frames: uint8 [H, W, 3] each.
        sound: Milliseconds at which 40 ms of silence begin.
        gop: Frames from one key frame to the next, at most.
    """
    if frames is None:
        frames = [numbered_frame(number) for number in range(len(stamps_ms))]
    pictures = dict(zip(stamps_ms, frames, strict=True))
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, bit_rate=4_000_000)
        video.gop_size = gop
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.time_base = fractions.Fraction(1, 1000)
        audio = container.add_stream("mp2", rate=48000) if sound else None
        for at_ms in sorted({*pictures, *sound}):
            if at_ms in sound:
                silence = av.AudioFrame("s16", "stereo", 1920)
                silence.planes[0].update(bytes(1920 * 4))
                silence.sample_rate, silence.pts = 48000, 48 * at_ms
                container.mux(audio.encode(silence))
            if at_ms in pictures:
                frame = av.VideoFrame.from_ndarray(pictures[at_ms], "bgr24")
                frame.pts, frame.time_base = at_ms, fractions.Fraction(1, 1000)
                container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    return str(path)


def blobs(count, seed=0):
    """Frames of 48 × 64 pixels with blobs of colour that change."""
    coarse = np.random.default_rng(seed).integers(
        0, 256, (count, 6, 8, 3), np.uint8
    )
    return [cv2.resize(frame, (64, 48)) for frame in coarse]


@pytest.fixture(scope="session")
def films(write_film, tmp_path_factory):
    """Two films of blobs, 4 s and 3 s, without loss; and what is no film."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "text.avi").write_text("no film")
    paths = {"TXT": f"{folder}/text.avi", "GONE": f"{folder}/gone.avi"}
    for name, count, seed in (("A", 100, 1), ("B", 75, 2)):
        path = write_film(folder / f"{name}.avi", blobs(count, seed), "FFV1")
        paths[name] = str(path)
    return paths


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


@pytest.fixture
def warnings(monkeypatch):
    """Warnings of the package, as text."""
    messages = []
    monkeypatch.setattr(
        "absl.logging.warning", lambda text, *a: messages.append(text % a)
    )
    return messages


@pytest.fixture(scope="session")
def tools(write_film):
    """The helpers above; test files cannot import each other."""

    def write(path, frames, fps=25.0, codec="MJPG"):
        """Writes a film of numbered frames, or of the frames given."""
        if isinstance(frames, int):
            frames = [numbered_frame(number) for number in range(frames)]
        return str(write_film(path, frames, codec, fps))

    return types.SimpleNamespace(
        small_network=small_network,
        quick_network=quick_network,
        reference_mixed_5c=reference_mixed_5c,
        reference_logits=reference_logits,
        read_number=read_number,
        write_film=write,
        write_stamped=write_stamped,
        blobs=blobs,
        make_corpus=make_corpus,
    )
