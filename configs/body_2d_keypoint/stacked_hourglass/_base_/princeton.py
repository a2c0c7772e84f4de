# Two stacks, trained like princeton-vl/pytorch_stacked_hourglass: losses averaged over
# the stacks, joints without label as empty maps, Adam. Its random contrast is left out,
# which MMPose has in combination with swapped colour channels only.
_base_ = [
    '../../../_base_/default_runtime.py',
    './crops_256x256.py',
    './stacks.py',
]

codec = dict(_base_.codec, patch_size=9, mask_unlabeled=False)
load, box, flip, rotation, crop = _base_.augment[:5]
train_pipeline = [
    load,
    box,
    flip,
    dict(
        rotation,
        law='uniform',
        scale_exponent_limit=0.25,
        rotation_limit=30,
        rotation_probability=1,
    ),
    crop,
    dict(type='YOLOXHSVRandomAug', saturation_delta=100, value_delta=77),
    dict(_base_.target, encoder=codec),
    _base_.packing,
]

model = dict(
    backbone=dict(num_stacks=2), head=dict(num_stacks=2, stack_reduction='mean')
)

batch_size = 16
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[100000], gamma=0.2
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=200000, val_interval=8000)
