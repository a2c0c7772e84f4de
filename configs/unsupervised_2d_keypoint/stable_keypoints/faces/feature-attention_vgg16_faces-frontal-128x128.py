# Tokens that attend to VGG16's features: the losses, the choice of tokens and the test
# of StableKeypoints on two CPU cores. Near-frontal faces, K=10; made by
# tools/dataset_converters/faces68_to_coco.py --near-frontal.
_base_ = [
    '../_base_/feature_attention_vgg16.py',
    '../../../_base_/datasets/faces_64x64.py',
]
frontal = dict(data_root='work_dirs/datasets/faces_frontal')
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=pipeline, **frontal))
val_dataloader = dict(
    batch_size=8, dataset=dict(fit=frontal, score=frontal, pipeline=pipeline)
)
test_dataloader = val_dataloader
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
