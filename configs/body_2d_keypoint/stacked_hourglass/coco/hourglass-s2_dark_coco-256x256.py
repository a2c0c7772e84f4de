# Distribution-aware coordinates (DARK, Zhang et al., CVPR 2020) under the same network
# and head. In MSRAHeatmap's frame cell i stands for pixel 4 i, so mirrored maps lie one
# cell beside and are shifted.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
codec = dict(
    type='MSRAHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    sigma=2,
    unbiased=True,
)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=17),
    head=dict(num_stacks=2, num_keypoints=17, decoder=codec),
    test_cfg=dict(shift_heatmap=True),
)
