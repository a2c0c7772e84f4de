# Distribution-aware coordinates (DARK, Zhang et al., CVPR 2020). Cell i of MSRAHeatmap
# is pixel 4 i, so mirrored maps lie one cell beside and are shifted.
num_keypoints = 17
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_boxes.py']
codec = dict(_base_.codec, type='MSRAHeatmap', sigma=2, unbiased=True)
stacks = dict(num_stacks=2, num_keypoints=num_keypoints)
model = dict(
    backbone=stacks,
    head=dict(decoder=codec, **stacks),
    test_cfg=dict(shift_heatmap=True),
)
train = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=_base_.batch_size, dataset=dict(pipeline=train))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
