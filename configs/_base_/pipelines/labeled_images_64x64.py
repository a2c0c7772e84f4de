# Images as in whole_images_64x64, in training with targets where they are labeled.
batch_size = 16
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
codec = dict(type='RegressionLabel', input_size=(64, 64))
target = dict(type='GenerateTarget', encoder=codec)
labeled_pipeline = [*pipeline[:3], target, pipeline[3]]
