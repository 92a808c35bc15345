//! Bitstreams and containers: whatever is accepted is sent again as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_phy::{Container, Frame, Key, LengthClass, Rank};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = Frame::parse(bytes) {
        let container = frame.container();
        assert_eq!(container.bitstream(frame.rank()).as_slice(), bytes);
        understand(container);
    }
    for class in LengthClass::ALL {
        if let Ok(container) = Container::check(class, bytes) {
            assert_eq!(container.as_bytes(), bytes);
            understand(&container);
        }
    }
});

/// Every frame of a valid container parses, and its meaning has the same bits but for the tag.
fn understand(container: &Container) {
    for rank in Rank::ALL {
        let frame = Frame::parse(&container.bitstream(rank)).expect("a valid container");
        assert_eq!(frame.container(), container);
    }
    let _ = container.authenticate(&Key::PUBLIC);
    let Ok(uplink) = container.uplink() else { return };
    let again = uplink.container(&Key::PUBLIC);
    assert_eq!(again.uplink().as_ref(), Ok(&uplink));
    let untagged = container.as_bytes().len() - container.tag().len() - 2;
    assert_eq!(again.as_bytes()[..untagged], container.as_bytes()[..untagged]);
}
