//! What is counted, for Prometheus.

use nap_io::live::FaultKind;
use nap_phy::receiver::Statistics;
use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use crate::error::Error;

/// Limits of the latency's buckets, in seconds.
const LATENCY_BUCKETS_S: [f64; 9] = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0];

/// The counters of a station. Names carry their units.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Those of the receiver, in its order.
    of_receiver: Vec<IntCounter>,
    expected_false_messages: Counter,
    faults: IntCounterVec,
    /// Times that the source was opened again.
    pub restarts: IntCounter,
    /// 1 while samples come.
    pub receiving: IntGauge,
    /// Samples a second, as the source says.
    pub sample_rate: Gauge,
    /// Where the source is tuned to.
    pub center_frequency: Gauge,
    /// The noise of the channel.
    pub noise_floor: Gauge,
    /// From the end of a frame to its report.
    pub latency: Histogram,
    /// Readers of the event stream.
    pub event_readers: IntGauge,
    /// Events that a reader was too slow for.
    pub dropped_events: IntCounter,
    /// Results that could not be written.
    pub failed_writes: IntCounter,
    /// Bursts kept as recordings.
    pub recorded_bursts: IntCounter,
    /// Bursts that could not be kept.
    pub dropped_recordings: IntCounter,
    /// The disk space of the recordings.
    pub recordings_size: IntGauge,
    /// Messages by what became of them, of a station.
    pub judged_messages: IntCounterVec,
    /// Messages that wait for each relay.
    pub relay_waiting: IntGaugeVec,
    /// 1 while the other side of a relay is well.
    pub relay_connected: IntGaugeVec,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// [`Error::Metrics`] if two have the same name.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> Result<IntCounter, Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<Gauge, Error> {
            let gauge = Gauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let int_gauge = |name: &str, help: &str| -> Result<IntGauge, Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let expected_false_messages = Counter::new(
            "nap_expected_false_messages_total",
            "False messages that were to be expected from the decisions tried: the budget used.",
        )?;
        registry.register(Box::new(expected_false_messages.clone()))?;
        let faults = IntCounterVec::new(
            Opts::new("nap_faults_total", "Faults of the source, by kind."),
            &["kind"],
        )?;
        registry.register(Box::new(faults.clone()))?;
        // All kinds are there from the start, so that a rate can be computed for the first one.
        for kind in FaultKind::ALL {
            faults.with_label_values(&[kind.name()]);
        }
        let judged_messages = IntCounterVec::new(
            Opts::new("nap_judged_messages_total", "Messages stored, by verdict and reason."),
            &["verdict", "reason"],
        )?;
        registry.register(Box::new(judged_messages.clone()))?;
        let of_relay = |name: &str, help: &str| -> Result<IntGaugeVec, Error> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["relay"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let latency = Histogram::with_opts(
            HistogramOpts::new(
                "nap_latency_seconds",
                "Time from the end of a frame at the antenna to its report.",
            )
            .buckets(LATENCY_BUCKETS_S.to_vec()),
        )?;
        registry.register(Box::new(latency.clone()))?;
        let info = IntGauge::with_opts(
            Opts::new("nap_build_info", "The version of the program; always 1.")
                .const_label("version", env!("CARGO_PKG_VERSION")),
        )?;
        info.set(1);
        registry.register(Box::new(info))?;
        let of_receiver = Statistics::default()
            .counters()
            .map(|c| counter(&format!("nap_{}_total", c.name), c.help))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            of_receiver,
            restarts: counter("nap_restarts_total", "Times that the source was opened again.")?,
            dropped_events: counter(
                "nap_dropped_events_total",
                "Events that a reader of the event stream was too slow for.",
            )?,
            failed_writes: counter(
                "nap_failed_writes_total",
                "Results that could not be written.",
            )?,
            recorded_bursts: counter("nap_recorded_bursts_total", "Bursts kept as recordings.")?,
            dropped_recordings: counter(
                "nap_dropped_recordings_total",
                "Bursts that could not be kept as recordings.",
            )?,
            receiving: int_gauge("nap_receiving", "1 while samples come, else 0.")?,
            event_readers: int_gauge("nap_event_readers", "Readers of the event stream.")?,
            recordings_size: int_gauge(
                "nap_recordings_size_bytes",
                "Disk space taken by recordings of bursts.",
            )?,
            sample_rate: gauge("nap_sample_rate_hertz", "Samples a second, as the source says.")?,
            center_frequency: gauge(
                "nap_center_frequency_hertz",
                "Frequency that the source is tuned to.",
            )?,
            noise_floor: gauge(
                "nap_noise_floor_dbfs_per_hertz",
                "Noise density of the channel relative to full scale, its median.",
            )?,
            judged_messages,
            relay_waiting: of_relay("nap_relay_waiting", "Messages that wait for a relay.")?,
            relay_connected: of_relay(
                "nap_relay_connected",
                "1 while the other side of a relay is well, else 0.",
            )?,
            registry,
            expected_false_messages,
            faults,
            latency,
        })
    }

    /// Adds what a receiver has counted since `before`, so that those of several receivers add up.
    pub fn follow(&self, before: &Statistics, now: &Statistics) {
        let counted = before.counters().zip(now.counters());
        for (counter, (before, now)) in self.of_receiver.iter().zip(counted) {
            counter.inc_by(now.value.saturating_sub(before.value));
        }
        let expected = now.expected_false_messages() - before.expected_false_messages();
        self.expected_false_messages.inc_by(expected.max(0.0));
    }

    /// Counts a fault.
    pub fn count_fault(&self, kind: FaultKind) {
        self.faults.with_label_values(&[kind.name()]).inc();
    }

    /// All of them in Prometheus' text format.
    ///
    /// # Errors
    /// [`Error::Metrics`] if there is nothing to tell.
    pub fn text(&self) -> Result<String, Error> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}
