# Coordinates by regression: the mean position under a softmax of the last stack's maps
# (DSNT, Nibali et al., 2018), as MMPose trains it.
num_keypoints = 17
_base_ = ['../_base_/dsnt.py', '../../../_base_/datasets/coco_boxes.py']
model = dict(head=dict(num_joints=num_keypoints))
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
