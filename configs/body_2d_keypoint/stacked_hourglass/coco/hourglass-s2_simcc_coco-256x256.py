# Keypoints classified along x and y (SimCC, Li et al., ECCV 2022) from the features of
# the last stack. The backbone makes no heatmaps, and feeds back features alone.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
codec = dict(type='SimCCLabel', input_size=(256, 256), sigma=6.0, simcc_split_ratio=2.0)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=None),
    head=dict(
        _delete_=True,
        type='SimCCHead',
        in_channels=256,
        out_channels=17,
        input_size=codec['input_size'],
        in_featuremap_size=(64, 64),
        simcc_split_ratio=codec['simcc_split_ratio'],
        deconv_out_channels=None,
        loss=dict(type='KLDiscretLoss', use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(_delete_=True, flip_test=True),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=5e-4))
param_scheduler = dict(milestones=[200000])
train_cfg = dict(max_iters=240000)
custom_hooks = []  # there are no heatmaps to watch
