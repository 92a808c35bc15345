//! Finding room for labels.

use crate::rectangle::Rectangle;

/// Distance of a label from what it belongs to, in pixels.
const GAP: f64 = 4.0;

/// Finds for each box a place for its label, `height` high and as wide as `widths` says, inside the
/// area, beside no other label and on no box. Earlier boxes choose first; `None` where there is no
/// room.
pub(crate) fn place(
    boxes: &[Rectangle],
    widths: &[f64],
    height: f64,
    area: &Rectangle,
) -> Vec<Option<Rectangle>> {
    let mut taken: Vec<Rectangle> = boxes.to_vec();
    let mut places = Vec::with_capacity(boxes.len());
    for (marked, &width) in boxes.iter().zip(widths) {
        let is_free = |place: &Rectangle| {
            area.contains(place) && !taken.iter().any(|other| other.overlaps(place))
        };
        let place = candidates(marked, width, height).into_iter().find(is_free);
        taken.extend(place);
        places.push(place);
    }
    places
}

/// Places around a box, the best first: above, below, then beside its ends.
fn candidates(marked: &Rectangle, width: f64, height: f64) -> [Rectangle; 10] {
    let (centered, flush_left, flush_right) =
        (marked.middle_x() - width / 2.0, marked.left, marked.right - width);
    let (above, below) = (marked.top - GAP - height, marked.bottom + GAP);
    let (before, after) = (marked.left - GAP - width, marked.right + GAP);
    [
        (centered, above),
        (centered, below),
        (flush_left, above),
        (flush_right, above),
        (flush_left, below),
        (flush_right, below),
        (after, marked.top),
        (before, marked.top),
        (after, marked.bottom - height),
        (before, marked.bottom - height),
    ]
    .map(|(left, top)| Rectangle { left, top, right: left + width, bottom: top + height })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rectangle = Rectangle { left: 0.0, top: 0.0, right: 1000.0, bottom: 500.0 };

    fn tall_box(left: f64, top: f64) -> Rectangle {
        Rectangle { left, top, right: left + 12.0, bottom: top + 150.0 }
    }

    fn placed(boxes: &[Rectangle]) -> Vec<Option<Rectangle>> {
        place(boxes, &vec![100.0; boxes.len()], 16.0, &AREA)
    }

    #[test]
    fn a_label_is_above_its_box() {
        let expected = Rectangle { left: 456.0, top: 180.0, right: 556.0, bottom: 196.0 };
        assert_eq!(placed(&[tall_box(500.0, 200.0)]), [Some(expected)]);
    }

    #[test]
    fn a_label_stays_inside() {
        for marked in [tall_box(0.0, 0.0), tall_box(988.0, 350.0), tall_box(0.0, 350.0)] {
            let place = placed(&[marked])[0].unwrap();
            assert!(AREA.contains(&place), "{place:?}");
        }
    }

    #[test]
    fn labels_and_boxes_keep_apart() {
        let boxes: Vec<Rectangle> =
            (0..8).map(|n| tall_box(400.0 + 30.0 * f64::from(n), 200.0)).collect();
        let places: Vec<Rectangle> = placed(&boxes).into_iter().flatten().collect();
        assert!(places.len() >= 4, "only {} labels", places.len());
        for (n, place) in places.iter().enumerate() {
            assert!(places[..n].iter().chain(&boxes).all(|other| !other.overlaps(place)));
        }
    }

    #[test]
    fn no_room_no_label() {
        assert_eq!(place(&[tall_box(10.0, 10.0)], &[2000.0], 16.0, &AREA), [None]);
    }
}
