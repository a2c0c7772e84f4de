"""A complete part affinity experiment without any training, shared by the tests.

The network recognises an image by the colour of its left edge and draws the maps that
a perfect network would. So every person is where the annotations say.
"""

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import tiny
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import nn
from torch.nn import functional as F

from mmkp.codecs import PartAffinityField
from mmkp.models.stages import StageOutputs

CONFIG = """
_base_ = '{runtime}'
data_mode = 'bottomup'
dataset_type = 'CocoDataset'
codec = dict(type='PartAffinityField', skeleton='{skeleton}', input_size=(96, 96))
model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(type='MeanColours'),
    head=dict(
        type='PartAffinityHead', in_channels=3, stages=dict(type='{stages}'),
        decoder=codec),
    test_cfg=dict())
meta_keys = (
    'id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'input_center',
    'input_scale', 'flip_indices', 'raw_ann_info', 'skeleton_links', 'aug_scales')
dataset = dict(
    type='CocoDataset', data_root='{folder}', ann_file='people.json',
    data_mode='bottomup', data_prefix=dict(img='images/'), test_mode=True,
    pipeline=[
        dict(type='LoadVerifiedImage'),
        dict(type='BottomupHeightResize', height=96, size_factor=8),
        dict(type='PackPoseInputs', meta_keys=meta_keys)])
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CocoDataset', data_root='{folder}', ann_file='people.json',
        data_mode='bottomup', data_prefix=dict(img='images/'),
        pipeline=[
            dict(type='LoadVerifiedImage'),
            dict(type='BottomupRandomAffine', input_size=(96, 96)),
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseInputs')]))
val_dataloader = test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dataset)
val_evaluator = test_evaluator = dict(
    type='CocoMetric', ann_file='{folder}/people.json', nms_mode='none',
    score_mode='bbox')
train_cfg = dict(by_epoch=False, max_iters=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
default_hooks = dict(_delete_=True, checkpoint_match=dict(type='CheckpointMatchHook'),
    visualization=dict(type='PoseVisualizationHook', enable=False))
log_level = 'WARNING'
"""
# Of images: width, height and number of people.
IMAGES = ((192, 96, 2), (144, 192, 1), (96, 96, 0), (192, 96, 3))
# An upright person of height 1, in COCO's order, left being the viewer's right.
FIGURE = np.array(
    [
        (0, 0.02), (0.03, 0), (-0.03, 0), (0.07, 0.02), (-0.07, 0.02),
        (0.12, 0.2), (-0.12, 0.2), (0.2, 0.36), (-0.2, 0.36), (0.24, 0.52),
        (-0.24, 0.52), (0.08, 0.52), (-0.08, 0.52), (0.1, 0.76), (-0.1, 0.76),
        (0.12, 1), (-0.12, 1),
    ]
)  # fmt: skip


def people_of(index):
    """Keypoints (N, 17, 2) of an image, in its pixels."""
    width, height, number = IMAGES[index]
    places = (np.arange(number)[:, None, None] + 0.5) * width / max(number, 1)
    people = FIGURE * height * 0.8 + (0, 0.1 * height)
    return np.repeat(people[None], number, 0) + places * (1, 0)


def write_images(folder: Path) -> Path:
    """Write the images and their annotations in COCO's format."""
    (folder / 'images').mkdir(parents=True)
    images, annotations = [], []
    for index, (width, height, _) in enumerate(IMAGES):
        image = np.full((height, width, 3), (20 * index + 10, 60, 0), np.uint8)
        image[:, : width // 4, 2] = 255  # says where left is
        name = f'{index:03d}.png'
        cv2.imwrite(str(folder / 'images' / name), image)
        images.append(dict(id=index, file_name=name, width=width, height=height))
        for points in people_of(index):
            corner, size = points.min(0), np.ptp(points, axis=0)
            annotations.append(
                dict(
                    id=len(annotations), image_id=index, category_id=1, iscrowd=0,
                    keypoints=np.c_[points, np.full(17, 2)].ravel().tolist(),
                    num_keypoints=17, bbox=[*corner, *size], area=float(size.prod()),
                )
            )  # fmt: skip
    categories = [dict(id=1, name='person', keypoints=[], skeleton=[])]
    content = dict(images=images, annotations=annotations, categories=categories)
    (folder / 'people.json').write_text(json.dumps(content))
    return folder


def write_config(
    folder: Path,
    skeleton: str = 'coco18',
    stages: str = 'PerfectStages',
    extra: str = '',
) -> Path:
    """Write the experiment's config, and its images, into ``folder``."""
    if not (folder / 'images').is_dir():
        write_images(folder)
    path = folder / f'{skeleton}_{stages}.py'
    text = CONFIG.format(
        runtime=tiny.RUNTIME, folder=folder, skeleton=skeleton, stages=stages
    )
    path.write_text(text + extra)
    return path


def write_checkpoint(config: Path) -> Path:
    """Write the weights of a freshly built model beside its config."""
    cfg = Config.fromfile(config)
    path = config.with_suffix('.pth')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict(), meta={}), path)
    return path


@functools.cache
def made() -> tuple[Path, Path]:
    """Config and checkpoint of the perfect network, made once a session."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = write_config(folder)
    return config, write_checkpoint(config)


@MODELS.register_module()
class MeanColours(BaseModule):
    """Mean colour of cells of 8 pixels, BGR."""

    def forward(self, images):
        return (F.avg_pool2d(images, 8),)


@MODELS.register_module()
class PerfectStages(nn.Module):
    """Draws what the codec would encode for the image it recognises."""

    def __init__(self, in_channels, num_keypoints, num_fields, skeleton='coco18'):
        super().__init__()
        self.skeleton = skeleton
        self.weight = nn.Parameter(torch.ones(num_keypoints))

    def forward(self, features):
        encoded = [self.draw(colors.cpu().numpy()) for colors in features]
        maps = (
            torch.from_numpy(np.stack([sample[name] for sample in encoded]))
            for name in ('heatmaps', 'part_affinity_fields')
        )
        heatmaps, fields = (m.to(features) for m in maps)
        return StageOutputs([heatmaps * self.weight[:, None, None]], [fields])

    def draw(self, colors):
        """Maps of one image from its colours (3, h, w)."""
        blue, green, red = colors[:, 0]
        inside = np.flatnonzero(green < 62)  # the padding is lighter
        first, last = inside[0], inside[-1]
        is_mirrored = red[first] < red[last]
        index = int(blue[last if is_mirrored else first]) // 20
        size = 8 * np.array(colors.shape[:0:-1])
        points = (people_of(index) + 0.5) * size[1] / IMAGES[index][1] - 0.5
        if is_mirrored:
            points = points * (-1, 1) + (size[0] - 1, 0)
            points = points[:, [0, *np.arange(1, 17).reshape(-1, 2)[:, ::-1].ravel()]]
        codec = PartAffinityField(
            self.skeleton, tuple(map(int, size)), field_alignment='centred'
        )
        return codec.encode(points)
