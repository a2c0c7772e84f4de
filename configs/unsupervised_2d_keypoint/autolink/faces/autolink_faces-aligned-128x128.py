# AutoLink as published on aligned faces, for a GPU: full networks, 128x128 pixels.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
perceptual = dict(
    weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
    layer_weights=(0.05, 0.2, 0.33, 0.5),  # undoes the size of Caffe's activations
)
model = dict(losses=dict(perceptual=perceptual), generator=dict(thickness=2.5e-3))
root = 'work_dirs/datasets/faces_aligned'
train_dataloader = dict(dataset=dict(data_root=root, data_prefix=dict(img='train')))
val_dataloader = dict(
    dataset=dict(
        fit=dict(
            data_root=root,
            ann_file='annotations/train_5.json',
            data_prefix=dict(img='train'),
        ),
        score=dict(
            data_root=root,
            ann_file='annotations/test_5.json',
            data_prefix=dict(img='test'),
        ),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='mafl')
test_evaluator = val_evaluator
