"""Whether a checkpoint's weights are those of the model at hand."""

from collections.abc import Mapping
from math import isqrt

from torch import Tensor, nn

# What a checkpoint may lack: losses and preprocessing hold constants, not results.
_CONSTANT_PARTS = ('losses.', 'loss_module.', 'data_preprocessor.')


class CheckpointMismatchError(ValueError):
    """A checkpoint of another model."""


def raise_if_mismatched(
    model: nn.Module,
    checkpoint: Mapping,
    source: str,
    config: str = 'the config',
    allow_missing: bool = False,
) -> None:
    """Refuse weights of another model with one sentence that says what differs.

    MMEngine loads what fits and warns about the rest, a line a parameter.

    Args:
        model: the model that is to receive the weights.
        checkpoint: with ``state_dict`` and perhaps ``meta``, or a bare state dict.
        source: name of the checkpoint file, for the message.
        config: name of the config file, for the message.
        allow_missing: accept a checkpoint of a part of the model, such as its
            backbone.

    Raises:
        CheckpointMismatchError: parameters differ in shape or are missing.
    """
    weights = _state_dict(checkpoint)
    expected = model.state_dict()
    common = [key for key in expected if key in weights]
    reshaped = [key for key in common if expected[key].shape != weights[key].shape]
    missing = [
        key
        for key in expected
        if key not in weights and not key.startswith(_CONSTANT_PARTS)
    ]
    if not reshaped and (not missing or (allow_missing and common)):
        return
    found, wanted = _num_keypoints(checkpoint), getattr(model, 'num_keypoints', None)
    if found and wanted and found != wanted:
        raise CheckpointMismatchError(
            f'{source} holds a model of {found} keypoints, {config} asks for '
            f'{wanted}: use the config that it was trained with, or set num_keypoints '
            f'to {found}'
        )
    examples = [
        f'{key} is {tuple(weights[key].shape)} in the file and '
        f'{tuple(expected[key].shape)} in the model'
        for key in reshaped[:2]
    ] + [f'{key} is not in the file' for key in missing[:2]]
    raise CheckpointMismatchError(
        f'{source} holds another model than {config} ({type(model).__name__}): '
        f'{len(reshaped) + len(missing)} of {len(expected)} parameters do not fit, '
        f'e.g. {"; ".join(examples)}. Use the config that it was trained with'
    )


def _state_dict(checkpoint: Mapping) -> dict[str, Tensor]:
    weights = checkpoint.get('state_dict', checkpoint)
    return {key.removeprefix('module.'): value for key, value in weights.items()}


def _num_keypoints(checkpoint: Mapping) -> int | None:
    """The number of keypoints that a checkpoint is for, None when it does not say."""
    for key, value in _state_dict(checkpoint).items():
        if key.endswith('edge_logits'):  # E = K (K - 1) / 2
            return (1 + isqrt(1 + 8 * value.numel())) // 2
    meta = checkpoint.get('meta') or {}
    return (meta.get('dataset_meta') or {}).get('num_keypoints')
