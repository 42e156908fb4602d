"""Filters for signals sampled at the rate of the traces."""

from __future__ import annotations

import numpy as np

from emotion_mt.corpus.simulation.timeline import STEP_MS

_STEPS_PER_S = 1000 / STEP_MS


def lagging(signal: np.ndarray, time_constant_s: float) -> np.ndarray:
    """Lets a signal follow its input slowly (a first-order lag).

    Args:
        signal: float64 [T, ...], sampled every `timeline.STEP_MS`.
        time_constant_s: Seconds to cover 63 % of a step.

    Returns:
        float64 of the same shape; the first sample is that of the input.
    """
    keep = np.exp(-1.0 / (time_constant_s * _STEPS_PER_S))
    slow = np.empty_like(signal)
    state = signal[0]
    for i, value in enumerate(signal):
        state = keep * state + (1.0 - keep) * value
        slow[i] = state
    return slow


def delayed(signal: np.ndarray, delay_s: float) -> np.ndarray:
    """Returns the signal later, with its first value repeated in front."""
    steps = min(round(delay_s * _STEPS_PER_S), len(signal))
    index = np.maximum(np.arange(len(signal)) - steps, 0)
    return signal[index]


def smooth_noise(
    samples: int, width_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Draws slowly changing noise of unit variance.

    Args:
        samples: Length T.
        width_s: Standard deviation of the Gaussian that smooths it, seconds.
        rng: Random numbers.

    Returns:
        float64 [samples].
    """
    width = width_s * _STEPS_PER_S
    reach = int(np.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= np.sqrt(np.sum(kernel**2))
    white = rng.standard_normal(samples + 2 * reach)
    # By FFT: films of half an hour have 45,000 samples.
    size = len(white) + len(kernel) - 1
    product = np.fft.rfft(white, size) * np.fft.rfft(kernel, size)
    return np.fft.irfft(product, size)[2 * reach : 2 * reach + samples]
