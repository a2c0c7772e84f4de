# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the tokens that the official StableKeypoints learned to a checkpoint of mmkp."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkp.converters.conversion import discovered_meta
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.config import load_config


def convert_checkpoint(
    embedding: str | Path, indices: str | Path, config: str | Path | None = None
) -> dict[str, Any]:
    """Convert the two files of one training.

    Args:
        embedding: ``embedding.pt``, the N tokens.
        indices: ``indices.pt``, which of them are the K keypoints, in their order.
        config: refuse files of another size than this config's head.

    Returns:
        ``state_dict`` of a :class:`StableKeypoints`, and ``meta``: ``dataset_meta``,
        ``converted_from`` and the sizes of the ``head``.

    Raises:
        CheckpointError, FileNotFoundError, UntrustedCheckpointError: as
            :func:`load_tensor`.
        ValueError: a file holds something else, or does not fit.
    """
    tokens = check_tokens(load_tensor(embedding), embedding)
    chosen = check_indices(load_tensor(indices), len(tokens), indices)
    sizes = dict(
        num_tokens=len(tokens), num_keypoints=len(chosen), token_width=tokens.shape[1]
    )
    if config is not None:
        check_config(config, sizes)
    state = {
        'head.tokens': tokens,
        'head.token_indices': chosen,
        # The official code has no untrained control, nor does it say what the tokens
        # were learned with: all zeros stand for that.
        'head.untrained_token_indices': torch.full_like(chosen, -1),
        'backbone.base_fingerprint': torch.zeros(32, dtype=torch.uint8),
    }
    meta = discovered_meta(len(chosen), converted_from='StableKeypoints', head=sizes)
    return {'meta': meta, 'state_dict': state}


def load_tensor(path: str | Path) -> Tensor:
    """Load a file that holds one tensor, on the CPU.

    Args:
        path: the ``.pt`` file.

    Returns:
        The tensor, without gradient.

    Raises:
        CheckpointError, FileNotFoundError, UntrustedCheckpointError: as
            :func:`load_checkpoint_file`.
        ValueError: it holds something else.
    """
    content = load_checkpoint_file(path, 'cpu')
    if not isinstance(content, Tensor):
        raise ValueError(
            f'{path} holds a {type(content).__name__}, not one tensor: give '
            'embedding.pt and indices.pt as the official code writes them'
        )
    return content.detach()


def check_tokens(tokens: Tensor, path: str | Path) -> Tensor:
    """Return the learned tokens as mmkp keeps them.

    Args:
        tokens: what the file holds, which should be (1, N, C), floats.
        path: of the file.

    Returns:
        Tokens, shape (N, C), float32.

    Raises:
        ValueError: it is something else, or not finite.
    """
    if not tokens.is_floating_point() or tokens.ndim != 3 or len(tokens) != 1:
        swapped = ': are the two files in the right order, embedding.pt first?'
        raise ValueError(
            f'{path} holds a {tokens.dtype} tensor of shape {tuple(tokens.shape)}, '
            f'not tokens, which are floats of shape (1, N, C){swapped}'
        )
    if tokens.numel() == 0 or not tokens.isfinite().all():
        raise ValueError(
            f'{path} holds no tokens or some that are not finite, shape '
            f'{tuple(tokens.shape)}: its training diverged, take another file'
        )
    return tokens[0].float().contiguous()


def check_indices(indices: Tensor, num_tokens: int, path: str | Path) -> Tensor:
    """Return which tokens are the keypoints.

    Args:
        indices: what the file holds, which should be (K,), whole numbers.
        num_tokens: number N of tokens.
        path: of the file.

    Returns:
        Indices, shape (K,), int64.

    Raises:
        ValueError: it is something else, out of range or twice the same.
    """
    kind = indices.dtype
    whole = not (kind.is_floating_point or kind.is_complex or kind == torch.bool)
    if not whole or indices.ndim != 1 or not len(indices):
        raise ValueError(
            f'{path} holds a {kind} tensor of shape {tuple(indices.shape)}, not the '
            'token of each keypoint, whole numbers of shape (K,)'
        )
    indices = indices.long()
    outside = indices[(indices < 0) | (indices >= num_tokens)].tolist()
    if outside:
        raise ValueError(
            f'{path} names tokens {outside}, but the embedding has {num_tokens}, '
            f'0 to {num_tokens - 1}: take the two files of one training'
        )
    if len(indices.unique()) < len(indices):
        raise ValueError(
            f'{path} names a token twice: {indices.tolist()}; each keypoint needs one '
            'of its own'
        )
    return indices.clone()


def check_config(config: str | Path, sizes: dict[str, int]) -> None:
    """Refuse a config of another size than the files.

    Args:
        config: file of the model.
        sizes: ``num_tokens``, ``num_keypoints`` and ``token_width`` of the files.

    Raises:
        FileNotFoundError: there is no such config.
        ValueError: it is of another model, or of other sizes.
    """
    model = load_config(config, check=False).get('model', {})
    if model.get('type') != 'StableKeypoints':
        raise ValueError(f'{config} is of {model.get("type")}, not of StableKeypoints')
    for name, size in sizes.items():
        configured = model.head.get(name)
        # The width may be left to what the tokens attend to.
        if configured != size and not (name == 'token_width' and configured is None):
            raise ValueError(
                f'{config} has {name}={configured}, the files have {size}: use '
                f'--cfg-options model.head.{name}={size} with it, or another config'
            )
