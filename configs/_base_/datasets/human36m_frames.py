# Whole frames of Human3.6M, the person anywhere, with background. The simplified set
# holds crops only: annotations are made from a table of the 32 joints in the frames by
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/human36m_frames'
images = dict(img='data/human36m_frames')
train_dataloader = dict(dataset=dict(data_root='data/human36m_frames/train'))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='human36m')
test_evaluator = val_evaluator
