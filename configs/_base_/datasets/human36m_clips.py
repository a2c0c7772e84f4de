# Training on clips of consecutive frames of Human3.6M without background, one folder
# each; scored on the simplified set. Made by
# tools/dataset_converters/human36m_simplified_to_coco.py --remove-background
# --out work_dirs/datasets/human36m_masked.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/human36m_masked'
images = dict(img=f'{root}/images')
train_dataloader = dict(
    dataset=dict(data_root='work_dirs/datasets/human36m_masked_clips')
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
