# The same with 30 keypoints.
num_keypoints = 30
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/aflw_discovery.py']
faces = [_base_.whole_image[0], _base_.crop, *_base_.whole_image[2:]]
separation = dict(loss_weight=10.0, bandwidth=0.04)
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(reconstruction=dict(loss_weight=0.001), separation=separation),
)
images = dict(num_keypoints=num_keypoints, pipeline=faces)
train_dataloader = dict(batch_size=8, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
custom_hooks = []  # as loss weights go on from where CelebA's began
