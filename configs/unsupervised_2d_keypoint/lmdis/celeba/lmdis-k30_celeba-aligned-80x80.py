# The same with 30 keypoints, with the weights and the learning rate that go with them.
num_keypoints = 30
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/celeba_aligned.py']
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(separation=dict(loss_weight=10.0, bandwidth=0.04)),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=8, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
optim_wrapper = dict(optimizer=dict(lr=1e-2))
weights = dict(reconstruction=[(0, 0.1), (100000, 10.0), (200000, 100.0)])
custom_hooks = [dict(type='LossWeightSchedule', losses=weights)]
