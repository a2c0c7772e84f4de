# 10 keypoints of people who exercise. They are slim: wider windows would put keypoints
# beside them.
num_keypoints = 10
_base_ = ['../_base_/fse_light_64x64.py', '../../../_base_/datasets/actions.py']
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(equivariance=dict(loss_weight=5.0), diversity=dict(window=3)),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
