# Figures on their feet before a plain background, in your own images, without
# annotations: figure and ground, edges, and keypoints that cover the figure, so that
# each lies on a limb; the recipe's wide detector at a quarter of the size.
data_root = 'data/my_images'
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_figure_64x64.py',
    '../_base_/wide_detector.py',
    '../../../_base_/datasets/folder.py',
]
model = dict(
    backbone=dict(_base_.wide_backbone, _delete_=True),
    head=dict(num_keypoints=num_keypoints, in_channels=64),
    losses=dict(coverage=dict(type='FigureCoverageLoss', loss_weight=2e4)),
)
optim_wrapper = dict(type='MixedPrecisionOptimWrapper', dtype='bfloat16')
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
