# The recipe on face crops as they are, trained on and scored at all angles.
num_keypoints = 10
_base_ = ['../_base_/recommended_64x64.py', '../../../_base_/datasets/faces.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
