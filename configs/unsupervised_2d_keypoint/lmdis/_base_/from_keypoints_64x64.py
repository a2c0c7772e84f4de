# A training that begins from keypoints that another model has found: for 100 steps they
# are learned by the loss `start` beside the others. Images as in whole_images_64x64.
start = dict(regression=dict(type='KeypointRegressionLoss', loss_weight=1e5))
custom_hooks = [dict(type='LossWeightSchedule', losses=dict(regression={100: 0.0}))]
codec = dict(type='RegressionLabel', input_size=(64, 64))
labeled_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
