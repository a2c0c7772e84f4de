# The recipe on AFLW; load_from the checkpoint of recommended_celeba-halved-64x64.
num_keypoints = 10
_base_ = ['../_base_/recommended_64x64.py', '../../../_base_/datasets/aflw_mtfl.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
