// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Peaks and limbs become people: Cao et al., CVPR 2017, section 2.4, with the additions
// of mmkp/ops/part_affinity, whose functions have the same names and comments.
//
// `grouping` is that of export.json, see grouping_rules in people_graph.py: the tables of
// the skeleton, and rules. Places are in cells.

// groupPeople(peaks, limbs, maps, grouping) -> people, best first: {keypoints: K [x, y],
// scores: K, score}. peaks: {keypoint, x, y, score}, keypoint by keypoint; limbs: {limb,
// start, end, score}, the two in the middle indices of peaks; maps: {heatmaps, fields,
// height, width}, the planes one after the other.
export function groupPeople(peaks, limbs, maps, grouping) {
  const { rules } = grouping;
  const groups = assemblePoses(matchLimbs(limbs, grouping), peaks, grouping);
  if (rules.max_gap > 0) {
    addSinglePeaks(groups, peaks, rules.min_single_score);
    joinFragments(groups, peaks, grouping);
  }
  const people = groups.poses.flatMap((group) => poseOf(group, peaks, rules));
  if (rules.search_missing) recoverKeypoints(people, maps, grouping);
  for (const person of people) placeAbsentKeypoints(person, grouping);
  return people.sort((a, b) => b.score - a.score);
}

// Each peak is the end of one limb of a kind at most; the best limb first (greedily).
function matchLimbs(limbs, grouping) {
  const place = new Map(grouping.assembly_order.map((limb, index) => [limb, index]));
  const sorted = [...limbs].sort((a, b) => (
    place.get(a.limb) - place.get(b.limb) || b.score - a.score || a.start - b.start || a.end - b.end
  ));
  const taken = new Set();
  return sorted.filter(({ limb, start, end }) => {
    const ends = [`${limb} from ${start}`, `${limb} to ${end}`];
    if (ends.some((one) => taken.has(one))) return false;
    ends.forEach((one) => taken.add(one));
    return true;
  });
}

// A limb begins a pose, extends the pose that owns one of its ends, or unites two poses
// that share no keypoint. poses: {peak: of each keypoint or -1, limbScore}; owner: pose
// of each peak.
function assemblePoses(limbs, peaks, grouping) {
  const size = grouping.flip_indices.length, { merge } = grouping.rules;
  const groups = { poses: [], owner: peaks.map(() => null), size };
  for (const { limb, start, end, score } of limbs) {
    let first = groups.owner[start];
    const second = groups.owner[end], [from, to] = grouping.limbs[limb];
    if (!first && !second) {
      if (grouping.redundant_limbs.includes(limb)) continue;
      first = newPose(groups);
      add(groups, first, from, start);
      add(groups, first, to, end);
    } else if (!first) {
      first = second;
      if (!add(groups, second, from, start)) continue;
    } else if (!second) {
      if (!add(groups, first, to, end)) continue;
    } else if (first !== second && !(merge && unite(groups, first, second))) {
      continue;
    }
    first.limbScore += score;
  }
  return groups;
}

function newPose(groups) {
  const pose = { peak: Array(groups.size).fill(-1), limbScore: 0 };
  groups.poses.push(pose);
  return pose;
}

// Give a peak to a pose that lacks the keypoint; whether it does.
function add(groups, pose, keypoint, peak) {
  if (pose.peak[keypoint] >= 0) return false;
  pose.peak[keypoint] = peak;
  groups.owner[peak] = pose;
  return true;
}

// Give all of the second pose to the first, if they share no keypoint.
function unite(groups, first, second) {
  if (first.peak.some((peak, k) => peak >= 0 && second.peak[k] >= 0)) return false;
  second.peak.forEach((peak, k) => { if (peak >= 0) add(groups, first, k, peak); });
  second.peak.fill(-1);
  first.limbScore += second.limbScore;
  second.limbScore = 0;
  return true;
}

// Each peak that belongs to none is a group of its own.
function addSinglePeaks(groups, peaks, least) {
  peaks.forEach(({ keypoint, score }, peak) => {
    if (!groups.owner[peak] && score > least) add(groups, newPose(groups), keypoint, peak);
  });
}

// Fragments of a person are joined over missing links, the smallest gap first. A missing
// link leads from one neighbor of a keypoint to another, and is open between fragments
// that both lack it. Gaps are measured in the longer of their mean limb lengths.
function joinFragments(groups, peaks, grouping) {
  const lengths = new Map(groups.poses.map((p) => [p, meanLimbLength(p, peaks, grouping)]));
  const of = groupedByKeypoint(peaks, groups.size), links = [];
  for (const [first, second, between] of grouping.missing_links) {
    for (const a of of[first]) {
      const p = groups.owner[a];
      if (!p || p.peak[between] >= 0) continue;
      for (const b of of[second]) {
        const q = groups.owner[b];
        if (!q || q === p || q.peak[between] >= 0) continue;
        const length = Math.max(lengths.get(p), lengths.get(q));
        const gap = distance(peaks[a], peaks[b]) / Math.max(length, 1);
        if (length > 0 && gap < grouping.rules.max_gap) links.push({ a, b, gap });
      }
    }
  }
  for (const { a, b } of links.sort((one, other) => one.gap - other.gap)) {
    if (groups.owner[a] !== groups.owner[b]) unite(groups, groups.owner[a], groups.owner[b]);
  }
}

function groupedByKeypoint(peaks, size) {
  const indices = Array.from({ length: size }, () => []);
  peaks.forEach(({ keypoint }, index) => indices[keypoint].push(index));
  return indices;
}

// Mean length of a pose's limbs in cells, 0 of a single peak.
function meanLimbLength(pose, peaks, { limbs }) {
  const lengths = limbs.flatMap(([start, end]) => {
    const a = pose.peak[start], b = pose.peak[end];
    return a >= 0 && b >= 0 ? [distance(peaks[a], peaks[b])] : [];
  });
  return lengths.length ? sum(lengths) / lengths.length : 0;
}

// The person that a group is, or nobody where it has too few or too weak peaks.
function poseOf(group, peaks, rules) {
  const found = group.peak.filter((peak) => peak >= 0), number = found.length;
  const total = sum(found.map((peak) => peaks[peak].score)) + group.limbScore;
  if (number < rules.min_keypoints || total / number < rules.min_score) return [];
  return [{
    keypoints: group.peak.map((p) => (p >= 0 ? [peaks[p].x, peaks[p].y] : [0, 0])),
    scores: group.peak.map((p) => (p >= 0 ? peaks[p].score : 0)),
    score: rules.scores_by_sum ? total * (number - 1) : total / number / 2,
  }];
}

// Keypoints that lack a peak are searched along all fields that lead there. The best of
// the walks counts; a peak belongs to one person only.
function recoverKeypoints(people, maps, grouping) {
  const { reach, least_reach: leastReach, num_steps: steps, share } = grouping.search;
  const found = people.map(({ scores }) => scores.map((score) => score > 0));
  const isTaken = (k, place) => people.some(({ keypoints }, n) => (
    found[n][k] && squared(place, keypoints[k]) < grouping.search.taken_radius ** 2
  ));
  people.forEach((person, n) => {
    const step = Math.max(sizeOf(person, found[n]) * reach, leastReach) / steps;
    const best = person.scores.map(() => 0);
    for (const edge of grouping.edges) {
      const [k, other] = edge;
      if (found[n][k] || !found[n][other]) continue;
      const walk = walkAlongField(maps, edge, person.keypoints[other], step, grouping);
      if (walk.score > best[k] && !isTaken(k, walk.place)) {
        best[k] = walk.score;
        person.scores[k] = walk.confidence * share;
        person.keypoints[k] = walk.place;
      }
    }
  });
}

// Walk from a keypoint in the direction of a field. At each step the confidence is weighed
// with the mean of the field on the way; the best step counts.
function walkAlongField(maps, [keypoint, , limb, sign], start, step, grouping) {
  const { search, field_offset: offset } = grouping;
  const best = { score: 0, confidence: 0, place: [0, 0] };
  const field = (x, y) => [0, 1].map((axis) => (
    nearest(maps, maps.fields, 2 * limb + axis, x + offset, y + offset)
  ));
  const first = field(...start), length = Math.hypot(...first);
  if (!(length >= search.least_field)) return best;
  const along = first.map((value) => value * sign / length);
  let total = 0;
  for (let s = 1; s <= search.num_steps; s++) {
    const x = start[0] + along[0] * step * s, y = start[1] + along[1] * step * s;
    const [fieldX, fieldY] = field(x, y);
    total += (fieldX * along[0] + fieldY * along[1]) * sign;
    if (!(x > -0.5 && x < maps.width - 0.5 && y > -0.5 && y < maps.height - 0.5)) continue;
    const here = nearest(maps, maps.heatmaps, keypoint, x, y);
    // Steps in one cell are equal but for the last bits: the first of them counts.
    const score = Math.fround(Math.max(here, 0) * Math.max(total / s, 0));
    if (score > best.score) Object.assign(best, { score, confidence: here, place: [x, y] });
  }
  return best;
}

// Value of the nearest cell of a plane.
function nearest({ width, height }, planes, plane, x, y) {
  const column = Math.floor(Math.min(Math.max(x + 0.5, 0), width - 1));
  const row = Math.floor(Math.min(Math.max(y + 0.5, 0), height - 1));
  return planes[(plane * height + row) * width + column];
}

// Larger side of the box around the keypoints that were found, in cells.
function sizeOf({ keypoints }, found) {
  const points = keypoints.filter((_, k) => found[k]);
  return Math.max(...[0, 1].map((axis) => {
    const places = points.map((point) => point[axis]);
    return Math.max(...places) - Math.min(...places);
  }));
}

// Keypoints that were not found are put at a plausible place: by symmetry (a wrist hangs
// from its elbow as the other one does), else at the mean of the neighbors, else of all.
function placeAbsentKeypoints({ keypoints, scores }, grouping) {
  const found = scores.map((score) => score > 0);
  const middle = meanOf(keypoints.filter((_, k) => found[k]));
  keypoints.forEach((_, k) => {
    if (!found[k]) keypoints[k] = besideNeighbors(keypoints, found, k, grouping) ?? middle;
  });
}

function besideNeighbors(keypoints, found, k, { edges, flip_indices: mirrors }) {
  const mirror = mirrors[k], near = [];
  for (const [target, other] of edges) {
    if (target !== k || !found[other]) continue;
    const opposite = mirrors[other];
    if (mirror !== k && found[mirror] && found[opposite]) {
      return [0, 1].map((axis) => (
        keypoints[other][axis] + keypoints[mirror][axis] - keypoints[opposite][axis]
      ));
    }
    near.push(keypoints[other]);
  }
  return near.length ? meanOf(near) : null;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const squared = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;
const distance = (a, b) => Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
const meanOf = (points) => [0, 1].map((axis) => sum(points.map((p) => p[axis])) / points.length);
