# AutoLink as published: 128x128, batch 64, 20,001 steps of AdamW, VGG16 loss alone.
# A child adds a data set, the number of keypoints and the thickness of the edges.
_base_ = ['../../../_base_/default_runtime.py']

batch_size = 64
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
# For objects that look alike in a mirror.
flipping_pipeline = [pipeline[0], dict(type='RandomFlip', prob=0.5), *pipeline[1:]]
# In place of torchvision's; weights of layers undo the size of Caffe's activations.
vgg16_hed = dict(
    weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
    layer_weights=(0.05, 0.2, 0.33, 0.5),
)

model = dict(
    type='AutoLink',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='AutoLinkEncoder', channels=(64, 128, 256, 512)),
    head=dict(type='SoftArgmaxHead', in_channels=512),
    generator=dict(type='EdgeMapGenerator', thickness=1e-3),
    losses=dict(
        perceptual=dict(
            type='PerceptualLoss', weights='data/weights/vgg16-397923af.pth'
        )
    ),
    test_cfg=dict(untrained_control=True),
)

# An edge weight moves by up to lr * 512 = .05 logits a step, as in the official code.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=1e-3),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=512, decay_mult=0)}),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20001, val_interval=1000)
