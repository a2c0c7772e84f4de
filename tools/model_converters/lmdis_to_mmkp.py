# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert the variables of a released LMDIS checkpoint to a checkpoint of mmkp.

TensorFlow is needed once, elsewhere, to write them to an ``.npz`` under their names::

    reader = tf.train.load_checkpoint('snapshot_step_205317')
    numpy.savez('lmdis.npz', **{
        name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})

    python tools/model_converters/lmdis_to_mmkp.py \
        configs/unsupervised_2d_keypoint/lmdis/celeba/lmdis_celeba-aligned-80x80.py \
        lmdis.npz lmdis.pth

Converted weights need ``generator=dict(legacy_gauss=True)``. Which layer of the release
is which of ours follows from the order in which it makes them; that could not be
compared with a released file, so look at pictures before you trust the weights.
"""

import argparse
from pathlib import Path
from typing import Any

from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the model
from mmkp.converters.conversion import write_checkpoint
from mmkp.converters.lmdis import convert_variables
from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.cli import run_tool
from mmkp.engine.config import load_config
from mmkp.labels import read_npz


def convert(
    config: str | Path, source: str | Path, target: str | Path
) -> dict[str, Any]:
    """Convert one file.

    Args:
        config: of an ``LMDIS`` with the number of keypoints and the widths of the file.
        source: the variables, ``.npz``.
        target: the ``.pth`` file to write; its folder is made.

    Returns:
        The converted checkpoint.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file does not fit the config.
    """
    if not Path(source).is_file():
        raise FileNotFoundError(f'{source} does not exist')
    if Path(target).is_dir():
        raise ValueError(f'{target} is a folder: give the name of the file to write')
    model_config = load_config(config, check=False).get('model', {})
    if model_config.get('type') != 'LMDIS':
        raise ValueError(f'{config} is of a {model_config.get("type")}, not of LMDIS')
    # Their weights may lie elsewhere, and are not part of the checkpoint.
    model = MODELS.build({**model_config, 'losses': None})
    variables = read_npz(source)
    try:
        state = convert_variables(variables, model)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    meta = {
        'dataset_meta': parse_pose_metainfo(discovered_metainfo(model.num_keypoints)),
        'converted_from': 'LMDIS (TensorFlow 1)',
    }
    converted = {'meta': meta, 'state_dict': state}
    write_checkpoint(converted, target)
    return converted


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(
        description='Convert the variables of a released LMDIS checkpoint to mmkp.'
    )
    parser.add_argument('config', help='config of the model, .py')
    parser.add_argument('source', help='variables of the checkpoint, .npz')
    parser.add_argument('target', help='file to write, .pth')
    args = parser.parse_args(arguments)
    convert(args.config, args.source, args.target)
    print(f'wrote {args.target}: use it with generator=dict(legacy_gauss=True)')


if __name__ == '__main__':
    run_tool(main)
