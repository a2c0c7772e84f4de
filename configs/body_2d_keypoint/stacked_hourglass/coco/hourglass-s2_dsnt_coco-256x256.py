# Coordinates by regression: the mean position under a softmax of the last stack's maps
# (DSNT, Nibali et al., 2018), as MMPose trains it. The backbone makes no heatmaps of
# its own, and feeds back features alone.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
codec = dict(
    type='IntegralRegressionLabel',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    sigma=2.0,
)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=None),
    head=dict(
        _delete_=True,
        type='DSNTHead',
        in_channels=256,
        in_featuremap_size=(64, 64),
        num_joints=17,
        deconv_out_channels=None,
        loss=dict(
            type='MultipleLossWrapper',
            losses=[
                dict(type='SmoothL1Loss', use_target_weight=True),
                dict(type='JSDiscretLoss', use_target_weight=True),
            ],
        ),
        decoder=codec,
    ),
    test_cfg=dict(_delete_=True, flip_test=True, shift_coords=True, shift_heatmap=True),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=5e-4))
param_scheduler = dict(milestones=[200000])
train_cfg = dict(max_iters=240000)
custom_hooks = []  # HeatmapCollapseHook reads what this head does not report
