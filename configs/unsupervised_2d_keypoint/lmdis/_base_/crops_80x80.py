# Crops of 80x80 pixels, in batches of 16.
batch_size = 16
# Images whole.
whole_image = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='PackPoseInputs'),
]
# Images resized to 100x100, their central 80x80.
central_crop = [
    whole_image[0],
    dict(type='GetBBoxCenterScale', padding=0.8),
    *whole_image[2:],
]
