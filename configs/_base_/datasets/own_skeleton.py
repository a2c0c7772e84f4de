# A skeleton and annotations of your own, in COCO format. Copy this file and the config
# that inherits from it, and change what stands here; or say it on the command line:
#     --cfg-options data_root="my animals" keypoints="[nose,tail]" links="[[nose,tail]]"
data_root = 'data/my_animals'
image_folder = 'images'
train_file = 'annotations/train.json'
val_file = 'annotations/val.json'
# In the order of the annotations; left_ and right_ of one name are each other's mirror.
keypoints = ['nose', 'left_ear', 'right_ear', 'neck', 'back', 'tail_base', 'tail_tip']
links = [
    ('nose', 'neck'),
    ('left_ear', 'neck'),
    ('right_ear', 'neck'),
    ('neck', 'back'),
    ('back', 'tail_base'),
    ('tail_base', 'tail_tip'),
]

sides = {'left': 'right', 'right': 'left'}
metainfo = dict(
    dataset_name='own',
    keypoint_info={
        index: dict(
            name=name,
            id=index,
            color=[255 * index // len(keypoints), 128, 255 - 20 * index % 256],
            type='',
            swap=name.replace(name.split('_')[0], sides[name.split('_')[0]], 1)
            if name.split('_')[0] in sides
            else '',
        )
        for index, name in enumerate(keypoints)
    },
    skeleton_info={
        index: dict(link=tuple(link), id=index, color=[0, 200, 100])
        for index, link in enumerate(links)
    },
    joint_weights=[1.0] * len(keypoints),
    sigmas=[0.05] * len(keypoints),  # accuracy of the annotators, of COCO's score
)
train_data = dict(
    type='CocoDataset',
    data_root=data_root,
    data_prefix=dict(img=image_folder),
    metainfo=metainfo,
    ann_file=train_file,
)
data_mode = 'topdown'
dataset_type = 'CocoDataset'
train_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=train_data,
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(train_data, ann_file=val_file, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', nms_mode='none')
test_evaluator = val_evaluator
