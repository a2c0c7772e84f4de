# Two stacks and COCO's 17 keypoints.
num_keypoints = 17
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_boxes.py']
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=num_keypoints),
    head=dict(num_stacks=2, num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
