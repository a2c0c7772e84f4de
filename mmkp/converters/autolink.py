# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the official AutoLink's Lightning checkpoint to mmkp's parameter names."""

import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkp.converters.conversion import discovered_meta
from mmkp.converters.names import Rule, rename
from mmkp.engine.checkpoint import InertObject, load_checkpoint_file

#: Factor by which the official code multiplies its stored edge logits.
EDGE_LOGIT_FACTOR = 512.0

_BLOCK = r'encoder\.detector\.conv\.([0-3])\.'
RULES: tuple[Rule, ...] = (
    (rf'{_BLOCK}net\.0', r'backbone.blocks.\1.conv1'),
    (rf'{_BLOCK}net\.2', r'backbone.blocks.\1.bn1'),
    (rf'{_BLOCK}net\.4', r'backbone.blocks.\1.conv2'),
    (rf'{_BLOCK}net\.5', r'backbone.blocks.\1.bn2'),
    (rf'{_BLOCK}conv_res\.0', r'backbone.blocks.\1.skip_conv'),
    (rf'{_BLOCK}conv_res\.2', r'backbone.blocks.\1.skip_bn'),
    (r'encoder\.detector\.conv\.4\.net\.([12])', r'head.upsample.0.\1'),
    (r'encoder\.detector\.conv\.5\.net\.([12])', r'head.upsample.1.\1'),
    (r'encoder\.detector\.conv\.6', 'head.final_layer'),
    (r'decoder\.down0\.0', 'generator.unet.stem'),
    (r'decoder\.conv', 'generator.unet.final_layer'),
    (
        r'decoder\.down([1-4])\.net\.(\d)',
        lambda m: f'generator.unet.down.{int(m[1]) - 1}.{m[2]}',
    ),
    (
        # The official block starts with its upsampling, which has no parameters.
        r'decoder\.up([1-4])\.net\.(\d)',
        lambda m: f'generator.unet.up.{int(m[1]) - 1}.layers.{int(m[2]) - 1}',
    ),
)
_LOGITS = 'decoder.skeleton_scalar'
_SCALE = 'decoder.alpha'
_SCORES = 'encoder.detector.conv.6.weight'
_UNNEEDED = ('encoder.detector.coord', 'vgg_loss.')


class AttributeDict(dict):
    """Stands for Lightning's dictionary of hyperparameters; adds nothing to dict."""


#: What Lightning pickles beside tensors and plain types, from version 1.0 to 2.x; the
#: last paths are as Python 3.13 writes them.
LIGHTNING_GLOBALS: dict[str, Any] = {
    'argparse.Namespace': Namespace,
    'pytorch_lightning.utilities.parsing.AttributeDict': AttributeDict,
    'lightning_fabric.utilities.data.AttributeDict': AttributeDict,
    'lightning.fabric.utilities.data.AttributeDict': AttributeDict,
    'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint': InertObject,
    'pathlib.PosixPath': InertObject,
    'pathlib.WindowsPath': InertObject,
    'pathlib._local.PosixPath': InertObject,
    'pathlib._local.WindowsPath': InertObject,
}


def read_lightning(path: str | Path) -> dict[str, Any]:
    """Read a Lightning checkpoint without running code from it.

    Args:
        path: the official ``model.ckpt``.

    Returns:
        The dict that Lightning wrote, on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged or no checkpoint.
        UntrustedCheckpointError: it holds more than Lightning needs.
        ValueError: it holds something else than a dict.
    """
    official = load_checkpoint_file(path, 'cpu', extra_globals=LIGHTNING_GLOBALS)
    if not isinstance(official, dict):
        raise ValueError(
            f'{path} holds a {type(official).__name__}; give the Lightning checkpoint '
            'model.ckpt'
        )
    return official


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
    layers = {
        name: value
        for name, value in official.items()
        if name not in (_LOGITS, _SCALE) and not name.startswith(_UNNEEDED)
    }
    ours = rename(layers, RULES, 'the official AutoLink')
    rows, columns = torch.triu_indices(num_keypoints, num_keypoints, 1)
    ours['generator.edge_logits'] = official[_LOGITS][rows, columns] * edge_logit_factor
    if _SCALE in official:
        ours['generator.visible_scale'] = official[_SCALE]
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


def convert_checkpoint(
    official: Mapping[str, Any], num_keypoints: int | None = None
) -> dict[str, Any]:
    """Convert a whole Lightning checkpoint to one that MMEngine loads.

    Args:
        official: the loaded file: ``state_dict`` and, as far as Lightning wrote them,
            ``hyper_parameters``, ``global_step``, ``epoch``.
        num_keypoints: refuse checkpoints of another number of keypoints.

    Returns:
        ``state_dict`` and ``meta`` (``dataset_meta`` of the K discovered keypoints,
        ``iter``, ``epoch`` and the run's plain ``hyper_parameters``).

    Raises:
        ValueError: not an official AutoLink checkpoint, or another number of keypoints.
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
    found = count_keypoints(state_dict)
    if num_keypoints not in (None, found):
        raise ValueError(
            f'it finds {found} keypoints, not {num_keypoints}: set num_keypoints='
            f'{found} in head and generator of the config'
        )
    factor = float(hyper_parameters.get('sklr', EDGE_LOGIT_FACTOR))
    plain = {
        str(key): value
        for key, value in hyper_parameters.items()
        if isinstance(value, (bool, int, float, str))
    }
    meta = discovered_meta(
        found,
        iter=int(official.get('global_step', 0)),
        epoch=int(official.get('epoch', 0)),
        hyper_parameters=plain,
        converted_from='official AutoLink (Lightning)',
    )
    return {'meta': meta, 'state_dict': convert_state_dict(state_dict, factor)}
