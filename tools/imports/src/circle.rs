//! Circles in a graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For each node the nodes that it has an edge to.
pub(crate) type Edges<N> = BTreeMap<N, BTreeSet<N>>;

/// Of each node that is on a circle the smallest one, which begins with its least node.
pub(crate) fn circles<N: Ord + Copy>(edges: &Edges<N>) -> BTreeSet<Vec<N>> {
    edges.keys().filter_map(|&node| shortest_way(edges, node, node)).map(smallest_first).collect()
}

/// The nodes of a shortest way, of one edge at least, without its end.
fn shortest_way<N: Ord + Copy>(edges: &Edges<N>, from: N, to: N) -> Option<Vec<N>> {
    let mut before = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        for &next in edges.get(&node).into_iter().flatten() {
            if next == to {
                let mut way: Vec<_> =
                    std::iter::successors(Some(node), |node| before.get(node).copied()).collect();
                way.reverse();
                return Some(way);
            }
            if next != from && !before.contains_key(&next) {
                before.insert(next, node);
                waiting.push_back(next);
            }
        }
    }
    None
}

fn smallest_first<N: Ord>(mut circle: Vec<N>) -> Vec<N> {
    let least =
        circle.iter().enumerate().min_by_key(|(_, node)| *node).map_or(0, |(index, _)| index);
    circle.rotate_left(least);
    circle
}
