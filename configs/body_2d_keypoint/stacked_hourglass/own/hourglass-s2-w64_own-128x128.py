# One animal a box, of the skeleton that own_skeleton.py says.
_base_ = ['../_base_/narrow_w64_128x128.py', '../../../_base_/datasets/own_skeleton.py']
num_keypoints = len(_base_.keypoints)
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
