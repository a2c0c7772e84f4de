# Embedded data: groups of 2 to 4 figures drawn while they are read, with exact joints.
# Images are not to be mirrored: a figure's own left sleeve and trouser leg are the
# darker ones.
skeleton = 'coco18'
data_mode = 'bottomup'
dataset_type = 'PuppetDataset'
figures = dict(type=dataset_type, data_mode=data_mode, image_size=128, figures=(2, 4))
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(seed=0, num_images=20000, **figures),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(seed=1, num_images=200, test_mode=True, **figures),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', score_mode='bbox', nms_mode='none')
test_evaluator = val_evaluator
