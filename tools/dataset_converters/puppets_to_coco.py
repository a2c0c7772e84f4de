# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Write pictures of puppets and their annotations to a folder.

`<out>/images/000000.png ...` and `<out>/annotations.json` in COCO's format: for
`CocoMetric` and other tools that want files, or (the images alone) as a folder for
`UnlabeledImageDataset`.

    python tools/dataset_converters/puppets_to_coco.py out --figures 1 5
"""

import argparse
import json
import time
from pathlib import Path

from mmkp.datasets import PuppetDataset
from mmkp.datasets.coco_writer import write_atomically, write_image
from mmkp.engine.cli import run_tool


def write_puppets(dataset: PuppetDataset, out: Path) -> Path:
    """Draw all images of a data set into a folder.

    Args:
        dataset: Puppets, in bottom-up mode.
        out: Folder to write.

    Returns:
        The annotation file.

    Raises:
        ValueError: If the data set is in top-down mode.
        FileExistsError: If the folder already holds images.
    """
    if dataset.data_mode != 'bottomup':
        raise ValueError(
            "an image has to come with all its figures: data_mode='bottomup'"
        )
    folder = out / 'images'
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(
            f'{folder} is not empty; images of two runs would mix there. Delete it or '
            'name another folder'
        )
    names = list(dataset.metainfo['keypoint_id2name'].values())
    links = [[a + 1, b + 1] for a, b in dataset.metainfo['skeleton_links']]
    person = dict(id=1, name='person', keypoints=names, skeleton=links)
    content: dict = dict(images=[], annotations=[], categories=[person])
    for index in range(len(dataset)):
        item = dataset.get_data_info(index)
        name = Path(item['img_path']).name
        height, width = item['img'].shape[:2]
        write_image(folder / name, item['img'])
        content['images'].append(
            dict(id=item['img_id'], file_name=name, width=width, height=height)
        )
        content['annotations'].extend(item['raw_ann_info'])
    write_atomically(out / 'annotations.json', json.dumps(content).encode())
    return out / 'annotations.json'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('--num-images', type=int, default=100)
    parser.add_argument(
        '--image-size', type=int, nargs=2, default=(128, 128), metavar=('W', 'H')
    )
    parser.add_argument(
        '--figures', type=int, nargs=2, default=(1, 1), metavar=('LEAST', 'MOST')
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--background', default='gradient')
    parser.add_argument('--appearance', default='outfits')
    parser.add_argument('--pose-variation', type=float, default=1.0)
    parser.add_argument('--frames-per-clip', type=int, default=1)
    parser.add_argument('--no-occlusion', dest='occlusion', action='store_false')
    return parser.parse_args()


def main() -> None:
    """Write the folder named on the command line."""
    arguments = vars(parse_args())
    out = arguments.pop('out')
    start = time.perf_counter()
    dataset = PuppetDataset(data_mode='bottomup', **arguments)
    path = write_puppets(dataset, out)
    print(f'{len(dataset)} images, {path}: {time.perf_counter() - start:.1f} s')


if __name__ == '__main__':
    run_tool(main)
