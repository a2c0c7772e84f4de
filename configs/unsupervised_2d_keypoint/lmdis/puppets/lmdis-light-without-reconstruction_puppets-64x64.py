# What reconstruction is for: without it nothing asks keypoints to tell of the image.
num_keypoints = 16
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/puppets_discovery.py',
]
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(reconstruction=dict(loss_weight=0.0)),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
