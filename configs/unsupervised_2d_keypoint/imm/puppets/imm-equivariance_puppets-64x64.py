# Drawn figures, 16 keypoints, minutes on two CPU cores, without any file.
num_keypoints = 16
_base_ = [
    '../_base_/imm_equivariance_64x64.py',
    '../../../_base_/datasets/puppets_discovery.py',
]
vgg = dict(weights=None, base_channels=16, layer_weights=None, image_size=None)
losses = dict(perceptual=vgg)
model = dict(head=dict(num_keypoints=num_keypoints), losses=losses)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
param_scheduler = dict(begin=100, end=200)
train_cfg = dict(max_iters=200, val_interval=100)
