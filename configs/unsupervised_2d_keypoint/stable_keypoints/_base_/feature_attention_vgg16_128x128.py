# Attention to VGG16's features of images of 128x128 pixels.
_base_ = ['../../../_base_/default_runtime.py', './feature_attention_vgg16.py']

batch_size = 4
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
