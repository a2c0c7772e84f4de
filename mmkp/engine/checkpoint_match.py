"""Whether a checkpoint's weights are those of the model at hand."""

from collections.abc import Mapping
from math import isqrt

from torch import Tensor, nn

from mmkp.engine.non_finite import listed

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
    remedy: str = '',
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
        remedy: what else to do, at the end of the message.

    Raises:
        CheckpointMismatchError: parameters differ in shape or are missing.
    """
    difference = _find_difference(model, checkpoint, source, config, allow_missing)
    if difference is not None:
        raise CheckpointMismatchError(difference + remedy)


def keep_what_fits(model: nn.Module, checkpoint: dict) -> str:
    """Drop the weights that the model cannot take.

    Args:
        model: the model that is to receive the weights.
        checkpoint: with ``state_dict``, which is replaced.

    Returns:
        What is left, and which parameters of the model stay as initialised.
    """
    weights, expected = _state_dict(checkpoint), model.state_dict()
    fitting = {
        key: value
        for key, value in weights.items()
        if key in expected and expected[key].shape == value.shape
    }
    checkpoint['state_dict'] = fitting
    left = [key for key in expected if key not in fitting]
    unused = [key for key in weights if key not in fitting]
    return (
        f'{len(fitting)} of the {len(expected)} parameters of the model are in it; as '
        f'initialised stay {listed(left)}; of the file are not used {listed(unused)}'
    )


def _find_difference(
    model: nn.Module, checkpoint: Mapping, source: str, config: str, partial: bool
) -> str | None:
    """Say what differs; None where the weights fit."""
    weights = _state_dict(checkpoint)
    expected = model.state_dict()
    common = [key for key in expected if key in weights]
    reshaped = [key for key in common if expected[key].shape != weights[key].shape]
    missing = [
        key
        for key in expected
        if key not in weights and not key.startswith(_CONSTANT_PARTS)
    ]
    if not reshaped and (not missing or (partial and common)):
        return None
    found, wanted = _num_keypoints(checkpoint), getattr(model, 'num_keypoints', None)
    if found and wanted and found != wanted:
        return (
            f'{source} holds a model of {found} keypoints, {config} asks for '
            f'{wanted}: use the config that it was trained with, or set num_keypoints '
            f'to {found}'
        )
    sizes = _skeleton_sizes(model, weights, reshaped)
    if sizes is not None:
        (keypoints, limbs), skeleton = sizes, model.head.decoder.skeleton
        return (
            f'{source} holds a model of {keypoints} keypoints and {limbs} limbs, '
            f"{config} asks for {skeleton.num_keypoints} and {skeleton.num_limbs} ('"
            f"{skeleton.name}'): use the config that it was trained with, or give the "
            'codec its skeleton'
        )
    examples = [
        f'{key} is {tuple(weights[key].shape)} in the file and '
        f'{tuple(expected[key].shape)} in the model'
        for key in reshaped[:2]
    ] + [f'{key} is not in the file' for key in missing[:2]]
    if prefix := _foreign_prefix(weights, expected):
        return (
            f"{source} holds the weights of this model under names that begin with '"
            f"{prefix}': save them without it, {{name.removeprefix('{prefix}'): value}}"
        )
    return (
        f'{source} holds another model than {config} ({type(model).__name__}): '
        f'{len(reshaped) + len(missing)} of {len(expected)} parameters do not fit, '
        f'e.g. {"; ".join(examples)}. Use the config that it was trained with'
    )


def _state_dict(checkpoint: Mapping) -> dict[str, Tensor]:
    weights = checkpoint.get('state_dict', checkpoint)
    return {key.removeprefix('module.'): value for key, value in weights.items()}


def _foreign_prefix(weights: Mapping, expected: Mapping) -> str | None:
    """What another program put before all names, such as 'ema.' or 'model.'."""
    first = next(iter(expected), None)
    for name in weights:
        if first is not None and name.endswith(f'.{first}'):
            prefix = name.removesuffix(first)
            if all(f'{prefix}{key}' in weights for key in expected):
                return prefix
    return None


def _skeleton_sizes(
    model: nn.Module, weights: Mapping[str, Tensor], reshaped: list[str]
) -> tuple[int, int] | None:
    """Numbers of keypoints and limbs of a part affinity checkpoint.

    Told by the last layers of the stages, which have a channel for each map; None
    where the checkpoint differs from the model in other things than its skeleton.
    """
    head = getattr(model, 'head', None)
    skeleton = getattr(getattr(head, 'decoder', None), 'skeleton', None)
    if skeleton is None:
        return None
    expected = model.state_dict()
    wanted = skeleton.num_keypoints + 1, 2 * skeleton.num_limbs
    heatmaps, fields = (
        {weights[k].shape[0] for k in reshaped if expected[k].shape[:1] == (number,)}
        or {number}
        for number in wanted
    )
    if len(heatmaps) > 1 or len(fields) > 1:
        return None
    found = heatmaps.pop(), fields.pop()
    if found == wanted or found[1] % 2:
        return None
    return found[0] - 1, found[1] // 2


def _num_keypoints(checkpoint: Mapping) -> int | None:
    """The number of keypoints that a checkpoint is for, None when it does not say."""
    for key, value in _state_dict(checkpoint).items():
        if key.endswith('edge_logits'):  # E = K (K - 1) / 2
            return (1 + isqrt(1 + 8 * value.numel())) // 2
    meta = checkpoint.get('meta') or {}
    return (meta.get('dataset_meta') or {}).get('num_keypoints')
