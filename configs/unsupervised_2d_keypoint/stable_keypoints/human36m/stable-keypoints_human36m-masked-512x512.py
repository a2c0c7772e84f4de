# Human3.6M simplified without background, K=16.
num_keypoints = 16
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/human36m_masked.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
