# Taichi, K=10, thin edges.
num_keypoints = 10
_base_ = ['../_base_/autolink_128x128.py', '../../../_base_/datasets/taichi.py']
model = dict(head=dict(num_keypoints=num_keypoints), generator=dict(thickness=5e-4))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(
    batch_size=_base_.batch_size,
    dataset=dict(images, pipeline=_base_.flipping_pipeline),
)
val_dataloader = test_dataloader = dict(dataset=images)
