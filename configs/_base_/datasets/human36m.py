# Human3.6M simplified with background. Made by
# tools/dataset_converters/human36m_simplified_to_coco.py.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/human36m'
images = dict(img='data/human36m')
train_dataloader = dict(
    dataset=dict(bbox_file=f'{root}/train.json', data_prefix=images)
)
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='human36m')
test_evaluator = val_evaluator
