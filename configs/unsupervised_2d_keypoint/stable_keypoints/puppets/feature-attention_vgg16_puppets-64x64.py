# Drawn figures, K=16, by two finer maps of VGG16, as the figures are small.
num_keypoints = 16
_base_ = [
    '../_base_/feature_attention_vgg16_64x64.py',
    '../../../_base_/datasets/puppets_discovery.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=8, dataset=images)
