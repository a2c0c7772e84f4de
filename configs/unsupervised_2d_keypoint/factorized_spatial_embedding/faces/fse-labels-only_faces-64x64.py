# The control of fse-semi-supervised: the 20 labeled crops alone, under the same warps.
num_keypoints = 5
_base_ = [
    '../_base_/fse_semi_supervised_64x64.py',
    '../../../_base_/datasets/faces_20_labeled.py',
]
losses = dict(_delete_=True, regression=_base_.model.losses.regression)
model = dict(head=dict(num_keypoints=num_keypoints), losses=losses)
train = dict(pipeline=_base_.labeled_pipeline, sample_ratio_factor=[180.0, 0.0])
train_dataloader = dict(batch_size=_base_.batch_size, dataset=train)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.pipeline))
