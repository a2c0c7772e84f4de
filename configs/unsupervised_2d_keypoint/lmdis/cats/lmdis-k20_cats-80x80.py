# The same with 20 keypoints.
num_keypoints = 20
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/cats.py']
losses = dict(
    reconstruction=dict(loss_weight=1e-4),
    equivariance=dict(loss_weight=5000.0),
    separation=dict(loss_weight=10.0, bandwidth=0.05),
)
model = dict(head=dict(num_keypoints=num_keypoints), losses=losses)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
weights = dict(reconstruction=[(0, 1e-4), (100000, 1e-3), (200000, 1e-2)])
custom_hooks = [dict(type='LossWeightSchedule', losses=weights)]
