# 68 landmarks of faces, on one CPU core.
num_keypoints = 68
_base_ = ['../_base_/narrow_udp_128x128.py', '../../../_base_/datasets/faces68.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
