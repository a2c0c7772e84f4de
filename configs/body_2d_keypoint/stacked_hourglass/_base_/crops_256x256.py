# Crops of 256x256 pixels around each person, augmented as the author of Stacked
# Hourglass does, and maps of 64x64 cells. A child with another codec puts `target`,
# with that encoder, between `augment` and `packing`.
codec = dict(type='HourglassHeatmap', input_size=(256, 256), heatmap_size=(64, 64))
load = dict(type='LoadVerifiedImage')
box = dict(type='GetBBoxCenterScale', padding=1.25)
crop = dict(type='TopdownAffine', input_size=codec['input_size'])
packing = dict(type='PackPoseInputs')
target = dict(type='GenerateTarget', encoder=codec)
augment = [
    load,
    box,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomScaleRotation'),
    crop,
    dict(type='RandomChannelGain'),
]
train_pipeline = [*augment, target, packing]
test_pipeline = [load, box, crop, packing]
# Where the boxes are the crops.
box_is_crop = dict(box, padding=1.0)
box_train_pipeline = [load, box_is_crop, *train_pipeline[2:]]
box_test_pipeline = [load, box_is_crop, crop, packing]
