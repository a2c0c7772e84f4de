# Taichi, K=10. Errors are sums of distances (L2); those of AutoLink are of coordinates.
num_keypoints = 10
_base_ = ['../_base_/stable_keypoints_512x512.py', '../../../_base_/datasets/taichi.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
