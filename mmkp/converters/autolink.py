# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the official AutoLink's Lightning checkpoint to mmkp's parameter names."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import Tensor

from mmkp.datasets.metainfo import discovered_metainfo

#: Factor by which the official code multiplies its stored edge logits.
EDGE_LOGIT_FACTOR = 512.0

_RES = {
    'net.0': 'conv1',
    'net.2': 'bn1',
    'net.4': 'conv2',
    'net.5': 'bn2',
    'conv_res.0': 'skip_conv',
    'conv_res.2': 'skip_bn',
}
_LOGITS = 'decoder.skeleton_scalar'
_SCORES = 'encoder.detector.conv.6.weight'
_UNNEEDED = ('encoder.detector.coord', 'vgg_loss.')


def _translate(name: str) -> str | None:
    """Name one entry as mmkp does; None when it belongs to no AutoLink."""
    if name == 'decoder.alpha':
        return 'generator.visible_scale'
    if found := re.fullmatch(r'encoder\.detector\.conv\.(\d)\.(.+)\.(\w+)', name):
        block, part, kind = int(found[1]), found[2], found[3]
        if block < 4 and part in _RES:
            return f'backbone.blocks.{block}.{_RES[part]}.{kind}'
        if block in (4, 5) and part in ('net.1', 'net.2'):
            return f'head.upsample.{block - 4}.{part[4:]}.{kind}'
    if found := re.fullmatch(r'encoder\.detector\.conv\.6\.(weight|bias)', name):
        return f'head.final_layer.{found[1]}'
    if found := re.fullmatch(r'decoder\.(down0\.0|conv)\.(weight|bias)', name):
        ours = 'final_layer' if found[1] == 'conv' else 'stem'
        return f'generator.unet.{ours}.{found[2]}'
    if found := re.fullmatch(r'decoder\.(down|up)([1-4])\.net\.(\d)\.(\w+)', name):
        side, level, layer = found[1], int(found[2]) - 1, int(found[3])
        if side == 'down':
            return f'generator.unet.down.{level}.{layer}.{found[4]}'
        # The official block starts with its upsampling, which has no parameters.
        return f'generator.unet.up.{level}.layers.{layer - 1}.{found[4]}'
    return None


def convert_state_dict(
    official: Mapping[str, Tensor], edge_logit_factor: float = EDGE_LOGIT_FACTOR
) -> dict[str, Tensor]:
    """Rename an official AutoLink state dict to that of :class:`AutoLink`.

    The official code stores a K x K matrix of edge logits divided by 512 and uses
    its upper triangle; mmkp stores those logits themselves (He et al., NeurIPS 2022,
    section 3.2, and the official ``sklr``). The coordinate grid and the copy of VGG
    are left out.

    Args:
        official: names as in the official checkpoint, any floating dtype.
        edge_logit_factor: the run's ``sklr``.

    Returns:
        Names as in ``AutoLink.state_dict()``; tensors are shared with ``official``.

    Raises:
        ValueError: entries are missing or unknown, or disagree on the number of
            keypoints.
    """
    num_keypoints = count_keypoints(official)
    ours: dict[str, Tensor] = {}
    unknown = []
    for name, value in official.items():
        if name.startswith(_UNNEEDED):
            continue
        if name == _LOGITS:
            rows, columns = torch.triu_indices(num_keypoints, num_keypoints, 1)
            ours['generator.edge_logits'] = value[rows, columns] * edge_logit_factor
        elif translated := _translate(name):
            ours[translated] = value
        else:
            unknown.append(name)
    if unknown:
        raise ValueError(
            f'{len(unknown)} entries are not of the official AutoLink, e.g. '
            f'{", ".join(unknown[:3])}: other architectures cannot be converted'
        )
    return ours


def count_keypoints(official: Mapping[str, Tensor]) -> int:
    """Read the number of keypoints K off an official AutoLink state dict.

    Args:
        official: names as in the official checkpoint.

    Returns:
        K, at least 2.

    Raises:
        ValueError: not an AutoLink checkpoint, or its parts disagree on K.
    """
    missing = [name for name in (_SCORES, _LOGITS) if name not in official]
    if missing:
        raise ValueError(
            f'no {" and no ".join(missing)} among the {len(official)} entries: this is '
            'not a checkpoint of the official AutoLink (they are called model.ckpt)'
        )
    num_keypoints = len(official[_SCORES])
    matrix = tuple(official[_LOGITS].shape)
    if matrix != (num_keypoints, num_keypoints):
        raise ValueError(
            f'the detector finds {num_keypoints} keypoints but the edge matrix is '
            f'{matrix}: the checkpoint is damaged or put together from two runs'
        )
    return num_keypoints


def extract_vgg(official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the VGG16 of the official perceptual loss out of a state dict.

    Args:
        official: names as in the official checkpoint.

    Returns:
        Torchvision's names ``features.0.weight`` .. ``features.21.bias`` (conv1_1 ..
        conv4_3), as :class:`PerceptualLoss` reads them.

    Raises:
        ValueError: the checkpoint carries no VGG.
    """
    pattern = re.compile(r'vgg_loss\.blocks\.\d\.(\d+)\.(weight|bias)')
    found = {
        f'features.{m[1]}.{m[2]}': value
        for name, value in official.items()
        if (m := pattern.fullmatch(name))
    }
    if not found:
        raise ValueError('the checkpoint carries no VGG (vgg_loss.blocks.*)')
    return found


def convert_checkpoint(official: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a whole Lightning checkpoint to one that MMEngine loads.

    Args:
        official: the loaded file: ``state_dict`` and, as far as Lightning wrote them,
            ``hyper_parameters``, ``global_step``, ``epoch``.

    Returns:
        ``state_dict`` and ``meta`` (``dataset_meta`` of the K discovered keypoints,
        ``iter``, ``epoch`` and the run's plain ``hyper_parameters``).

    Raises:
        ValueError: not an official AutoLink checkpoint.
    """
    state_dict = official.get('state_dict')
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            'no state_dict in the file: give the Lightning checkpoint model.ckpt, '
            f'found {sorted(map(str, official))[:5]}'
        )
    hyper_parameters = official.get('hyper_parameters') or {}
    if not isinstance(hyper_parameters, Mapping):  # argparse.Namespace
        hyper_parameters = vars(hyper_parameters)
    num_keypoints = count_keypoints(state_dict)
    factor = float(hyper_parameters.get('sklr', EDGE_LOGIT_FACTOR))
    plain = {
        str(key): value
        for key, value in hyper_parameters.items()
        if isinstance(value, (bool, int, float, str))
    }
    meta = {
        'iter': int(official.get('global_step', 0)),
        'epoch': int(official.get('epoch', 0)),
        # Parsed, as MMEngine's runner stores it and MMPose's init_model reads it.
        'dataset_meta': parse_pose_metainfo(discovered_metainfo(num_keypoints)),
        'hyper_parameters': plain,
        'converted_from': 'official AutoLink (Lightning)',
    }
    return {'meta': meta, 'state_dict': convert_state_dict(state_dict, factor)}
