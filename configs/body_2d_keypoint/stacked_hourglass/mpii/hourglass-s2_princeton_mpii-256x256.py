# Two stacks, trained like princeton-vl/pytorch_stacked_hourglass: losses averaged over
# the stacks, joints without label as empty maps, Adam. Its random contrast is left out,
# which MMPose has in combination with swapped colour channels only.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_256x256.py']
codec = dict(
    type='HourglassHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    patch_size=9,
    mask_unlabeled=False,
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomScaleRotation',
        law='uniform',
        scale_exponent_limit=0.25,
        rotation_limit=30,
        rotation_probability=1,
    ),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='YOLOXHSVRandomAug', saturation_delta=100, value_delta=77),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(num_stacks=2),
    head=dict(num_stacks=2, stack_reduction='mean', decoder=codec),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=1e-3))
param_scheduler = dict(milestones=[100000])
train_cfg = dict(max_iters=200000)
