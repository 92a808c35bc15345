//! What goes wrong in the field, done to the real program with real brokers, servers and disks.
//!
//! Each of these has a test; those of `field` are here, `relays`, `keeper` and `rules` are in `nap-station/tests`, and the
//! others beside the code that they name.
//!
//! | what goes wrong | test |
//! | --- | --- |
//! | after a broker's restart nothing reconnects though it "publishes" | relays `after_a_broker_restart_messages_go_on` |
//! | the first TLS connection fails and is never tried again | relays `a_first_connection_that_fails_is_tried_again` |
//! | a server stalls after the TLS hello | relays `a_server_that_stalls_after_the_tls_hello_is_given_up` |
//! | a dead link is noticed after minutes | relays `a_link_that_dies_silently_is_noticed_and_its_will_comes_before_the_next_birth` |
//! | TCP is there but the far side is gone, and the client stays on the dead socket | relays `a_dead_connection_is_noticed_by_the_next_message` |
//! | a reconnection while the old session lives | relays `a_link_that_dies_...`, half open |
//! | connected, then kicked: a loop without a pause | relays `a_way_that_comes_and_goes_is_tried_less_and_less_often` |
//! | thousands reconnect at once | `relay/backoff.rs` `ten_thousand_stations_do_not_come_back_together` |
//! | two hosts with one client ID | relays `two_hosts_with_one_identity_do_not_kick_each_other_for_ever` |
//! | the will is retained, the birth is not | relays `messages_updates_events_and_status_have_their_topics`, `a_station_that_dies_leaves_its_will` |
//! | a backlog that is sent too fast is lost | relays `a_backlog_is_late_and_in_order_and_live_messages_go_first` |
//! | a server's or a broker's refusal of one message holds up all | relays `a_poison_message_holds_up_no_other_and_becomes_a_dead_letter` |
//! | a late copy is delivered twice | field `every_message_of_some_days_with_mosquitto`; relays `a_slow_way_loses_nothing_and_brings_nothing_twice` |
//! | a day without backhaul | field `a_day_without_backhaul_with_mosquitto`; keeper `a_day_without_backhaul` |
//! | a station that was off for three days locks its devices out | rules `three_days_without_the_station` |
//! | a counter wraps, at each modulo | rules `small_counters_wrap_and_keep_their_protection`; field `every_message_of_some_days_with_mosquitto` |
//! | a device is reset and refused in silence | rules `a_device_that_was_reset_is_disengaged_for_one_message`, `refused_devices_are_told_once_an_hour` |
//! | devices that are refused cannot be admitted because nobody sees them | `tests/station.rs` `each_message_has_an_id_a_verdict_and_its_place_at_the_relay` |
//! | the clock says 1970 | `station/clock.rs`; relays `with_a_wrong_clock_it_is_the_clock_that_is_blamed` |
//! | the clock is a week off, times in the future | keeper `a_clock_that_jumps_keeps_order_and_ids`; rules `the_window_grows_by_the_day` |
//! | gpsd goes back 1024 weeks | field `a_gps_receiver_tells_the_time_of_day_and_the_place`; `rules/clock.rs` `a_gps_receiver_that_goes_back_1024_weeks_is_not_believed` |
//! | gpsd reports the old fix, reports 0,0 | `rules/gps.rs` `an_old_fix_that_is_told_again_does_not_count`, `a_fix_has_a_mode_an_error_and_a_place` |
//! | a key is overwritten at a start | `store/identity.rs` `an_identity_is_made_once_and_never_replaced` |
//! | a certificate is renewed and not loaded, a root is replaced | relays `a_renewed_certificate_and_a_replaced_root_count_at_once` |
//! | a backup is truncated | keeper `a_backup_is_whole_or_refused` |
//! | a package upgrade overwrites settings | `make deb-trial` |
//! | a bad configuration restarts for ever | `tests/station.rs` `a_wrong_configuration_is_told_by_line_and_ends_with_2` |
//! | forged or replayed frames lock the true device out | rules `a_flood_leaves_the_true_device_alone`; keeper `a_forged_flood_fills_no_disk_and_locks_nobody_out` |
//! | strangers fill the disk | keeper `strangers_push_out_nobody` |
//! | the disk is full, read-only, broken, slow | field `full_on_a_small_disk`, `a_disk_that_fails_under_strace`, `a_slow_disk_under_strace` |
//! | the program is killed | field `killed_at_any_moment_with_mosquitto` |
//! | the power is cut | field `synced_before_sent_under_strace_with_mosquitto` |
#![cfg(feature = "station")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic in a test is a failed test"
)]

mod air;
#[path = "../common/mod.rs"]
mod common;
mod days;
mod disk;
mod far;
mod figures;
mod gps;
mod kills;
mod looks;
mod power;
mod process;
mod trace;
mod watched;
