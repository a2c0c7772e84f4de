"""The state of every generator of random numbers that a training draws from."""

import random
from collections.abc import Sequence

import numpy as np
import torch


def get_random_state() -> dict:
    """Read the generators of Python, NumPy, PyTorch and the current GPU.

    Returns:
        Plain types, arrays and tensors only, so that a checkpoint can hold it:
        ``python``, ``numpy``, ``torch`` and, where a GPU is in use, ``cuda``.
    """
    state = {
        'python': random.getstate(),
        'numpy': np.random.get_state(legacy=True),
        'torch': torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict) -> None:
    """Put the generators back to where :func:`get_random_state` found them.

    Args:
        state: what :func:`get_random_state` returned; its tensors may have been
            moved to another device since.
    """
    version, internal, gauss = state['python']
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(tuple(state['numpy']))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def seed_generators(*entropy: int) -> None:
    """Seed the generators of Python, NumPy and PyTorch from several numbers.

    Args:
        *entropy: non-negative integers; each combination gives streams that are
            independent of those of every other combination.
    """
    words: Sequence[int] = np.random.SeedSequence(entropy).generate_state(8).tolist()
    random.seed(words[0] << 32 | words[1])
    np.random.seed(words[2:6])
    torch.manual_seed(words[6] << 32 | words[7])
