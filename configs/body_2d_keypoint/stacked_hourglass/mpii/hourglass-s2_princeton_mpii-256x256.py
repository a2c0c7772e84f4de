# Two stacks, trained as princeton's code does.
num_keypoints = 16
_base_ = ['../_base_/princeton.py', '../../../_base_/datasets/mpii_boxes.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
