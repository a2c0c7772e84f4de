# The published setting on 10,000 aligned faces of half the size.
num_keypoints = 10
_base_ = ['../_base_/autolink_128x128.py', '../../../_base_/datasets/celeba_halved.py']
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(perceptual=_base_.vgg16_hed),
    generator=dict(thickness=2.5e-3),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(
    batch_size=_base_.batch_size,
    num_workers=4,
    dataset=dict(images, pipeline=_base_.flipping_pipeline),
)
val_dataloader = test_dataloader = dict(num_workers=4, dataset=images)
