# Tokens that attend to VGG16's features: the losses, the choice of tokens and the test
# of StableKeypoints on two CPU cores. Near-frontal faces, K=10.
num_keypoints = 10
_base_ = [
    '../_base_/feature_attention_vgg16_128x128.py',
    '../../../_base_/datasets/faces_frontal.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=8, dataset=images)
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
