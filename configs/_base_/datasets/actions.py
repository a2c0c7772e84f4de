# Frames of people who exercise before a wall, in clips, without annotations. Made by
# tools/dataset_converters/action_strips_to_frames.py.
_base_ = ['./unlabeled.py']
root = 'work_dirs/datasets/actions'
train_dataloader = dict(num_workers=1, dataset=dict(data_root=f'{root}/train'))
val_dataloader = dict(num_workers=1, dataset=dict(data_root=f'{root}/test'))
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='KeypointCollapseMetric'),
    dict(type='TemporalConsistencyMetric'),
]
test_evaluator = val_evaluator
