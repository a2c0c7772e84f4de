# Images, or their boxes, whole, squashed to 64x64 pixels, in batches for two CPU cores.
batch_size = 16
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
# In place of the third step where shapes are not to be squashed: a square around the
# box, white beyond the image.
letterbox = dict(
    type='TopdownResize', input_size=(64, 64), keep_aspect_ratio=True, pad_val=255
)
