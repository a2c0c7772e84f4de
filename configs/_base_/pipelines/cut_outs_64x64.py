# The one object of each image, cut out of its background and framed, unsquashed on
# white ground in 64x64 pixels.
batch_size = 16
# A child with a still camera says what it sees behind the object:
# pipeline = [_base_.pipeline[0], dict(_base_.pipeline[1], scene=...), ...]
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='CutOutFigure'),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(
        type='TopdownResize', input_size=(64, 64), keep_aspect_ratio=True, pad_val=255
    ),
    dict(type='PackPoseInputs'),
]
