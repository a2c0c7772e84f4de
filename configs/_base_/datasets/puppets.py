# Embedded data: one figure an image, drawn while it is read, with exact joints. Images
# are not to be mirrored: a figure's own left sleeve and trouser leg are the darker
# ones.
data_mode = 'topdown'
dataset_type = 'PuppetDataset'
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type, image_size=64, seed=0, num_images=20000),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, image_size=64, seed=1, num_images=500, test_mode=True
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    norm_item='torso',
    torso=('right_shoulder', 'left_hip'),
    thresholds=(0.2, 0.1),
)
test_evaluator = val_evaluator
