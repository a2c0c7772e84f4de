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
from functools import partial

import mmkp  # noqa: F401  registers the model
from mmkp.converters.conversion import convert_file
from mmkp.converters.lmdis import build_model, convert_checkpoint
from mmkp.engine.cli import run_tool
from mmkp.labels import read_npz


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(
        description='Convert the variables of a released LMDIS checkpoint to mmkp.'
    )
    parser.add_argument('config', help='config of the model, .py')
    parser.add_argument('source', help='variables of the checkpoint, .npz')
    parser.add_argument('target', help='file to write, .pth')
    args = parser.parse_args(arguments)
    convert = partial(convert_checkpoint, model=build_model(args.config))
    convert_file(args.source, args.target, read_npz, convert)
    print(f'wrote {args.target}: use it with generator=dict(legacy_gauss=True)')


if __name__ == '__main__':
    run_tool(main)
