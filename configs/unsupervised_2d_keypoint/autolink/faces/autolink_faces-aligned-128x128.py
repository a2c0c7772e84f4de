# AutoLink as published on aligned faces, for a GPU: full networks, 128x128 pixels.
_base_ = ['../_base_/autolink_128x128.py']
losses = dict(
    perceptual=dict(
        weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
        # undoes the size of Caffe's activations, layer by layer
        layer_weights=(0.05, 0.2, 0.33, 0.5),
    )
)
model = dict(losses=losses, generator=dict(thickness=2.5e-3))
aligned = dict(data_root='work_dirs/datasets/faces_aligned')
train_dataloader = dict(dataset=dict(data_prefix=dict(img='train'), **aligned))
fit = dict(
    type='LandmarkDataset',
    ann_file='annotations/train_5.json',
    data_prefix=dict(img='train'),
    **aligned,
)
score = dict(
    type='LandmarkDataset',
    ann_file='annotations/test_5.json',
    data_prefix=dict(img='test'),
    test_mode=True,
    **aligned,
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='DiscoveryEvaluationDataset',
        num_keypoints=10,
        fit=fit,
        score=score,
        pipeline=_base_.test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(type='DiscoveredKeypointMetric', protocol='mafl')
test_evaluator = val_evaluator
