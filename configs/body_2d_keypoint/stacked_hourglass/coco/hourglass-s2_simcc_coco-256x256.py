# Keypoints classified along x and y (SimCC, Li et al., ECCV 2022) from the features of
# the last stack.
num_keypoints = 17
_base_ = ['../_base_/simcc.py', '../../../_base_/datasets/coco_boxes.py']
model = dict(head=dict(out_channels=num_keypoints))
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
